package testrun

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

// What comes from workers. The first part of plugin/ describes the messages that have
// these contents.
type (
	ready struct {
		up      *WorkerUp
		reports []string // options of plugins that want to write a report of all tests
	}
	problem   struct{ *CollectProblem }
	collected struct {
		digest     string
		count      int
		deselected int
		took       time.Duration
		problems   int  // how many parts could not be collected
		goOn       bool // whether tests are to be run even so
		only       bool // whether no test is to be run because the user only wants to collect
	}
	found   struct{ tests []Test }
	started struct {
		index int
		at    time.Time
	}
	done struct {
		index int
		TestDone
	}
	warned   struct{ *Warning }
	returned struct{ indexes []int }
	stacks   struct{ text string }
	internal struct{ text string }
	notice   struct{ text string }
	finished struct {
		code   ExitCode
		reason string
		// measured are the options of pytest-cov, or nil if it has not measured anything, in
		// topdir.
		measured any
		topdir   string
	}
	refused struct {
		code ExitCode
		text string
	}
	// ended is the last one of each worker: its channel is closed, or has never been there.
	ended struct{ err error }
)

// fields reads the parts of a message one after the other.
type fields struct {
	rest []any
	bad  bool
}

func (f *fields) next() any {
	if len(f.rest) == 0 {
		f.bad = true
		return nil
	}
	v := f.rest[0]
	f.rest = f.rest[1:]
	return v
}

func as[T any](f *fields) T {
	v, ok := f.next().(T)
	f.bad = f.bad || !ok
	return v
}

func (f *fields) text() string            { return as[string](f) }
func (f *fields) int() int                { return int(as[int64](f)) }
func (f *fields) seconds() time.Duration  { return secondsOf(as[float64](f)) }
func (f *fields) time() time.Time         { return timeOf(as[float64](f)) }
func (f *fields) outcome() Outcome        { return Outcome(f.text()) }
func (f *fields) path() string            { return filepath.ToSlash(f.text()) }
func (f *fields) list() []any             { return listOf(f, f.next()) }
func (f *fields) facts() *serializer.Dict { return as[*serializer.Dict](f) }

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
func timeOf(s float64) time.Time        { return time.UnixMicro(int64(s * 1e6)) }

func listOf(f *fields, v any) []any {
	switch list := v.(type) {
	case []any:
		return list
	case serializer.Tuple:
		return list
	}
	f.bad = true
	return nil
}

func texts(f *fields, list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		text, ok := v.(string)
		f.bad = f.bad || !ok
		out[i] = text
	}
	return out
}

func numbers(f *fields, list []any) []int {
	out := make([]int, len(list))
	for i, v := range list {
		n, ok := v.(int64)
		f.bad = f.bad || !ok
		out[i] = int(n)
	}
	return out
}

// decode reads an item that worker has sent: a list of messages.
func decode(worker string, item any) ([]any, error) {
	if packed, ok := item.([]byte); ok {
		return decodeNext(worker, packed)
	}
	list, ok := item.([]any)
	if !ok {
		return nil, fmt.Errorf("execnet: worker %s has sent a %T instead of messages", worker, item)
	}
	var out []any
	for _, v := range list {
		tuple, _ := v.(serializer.Tuple)
		f := &fields{rest: tuple}
		name := f.text()
		message := decodeOne(worker, name, f)
		if f.bad || message == nil {
			return nil, fmt.Errorf("execnet: worker %s has sent a message %q that cannot be understood", worker, name)
		}
		out = append(out, message)
	}
	return out, nil
}

func decodeOne(worker, name string, f *fields) any {
	switch name {
	case "ready":
		facts := f.facts()
		if f.bad {
			return nil
		}
		options, ok := value(facts, "options").(*serializer.Dict)
		if f.bad = !ok; f.bad {
			return nil
		}
		text := func(key string) string { return as[string](&fields{rest: []any{value(facts, key)}}) }
		forked, _ := value(facts, "forked").(bool)
		return ready{&WorkerUp{Worker: worker, Python: text("python"), Platform: text("platform"), Path: text("path"),
			Pytest: text("pytest"), Root: text("root"), Header: texts(f, listOf(f, value(facts, "header"))), Forked: forked, Options: optionsOf(f, options)},
			texts(f, listOf(f, value(facts, "reports")))}
	case "problem":
		p := &CollectProblem{Worker: worker, ID: f.text(), Outcome: f.outcome(), Text: f.text(), Path: f.path(), Line: f.int(), Message: f.text()}
		p.Message, _, _ = strings.Cut(p.Message, "\n")
		return problem{p}
	case "collected":
		facts := f.facts()
		if f.bad {
			return nil
		}
		rest := &fields{rest: []any{value(facts, "digest"), value(facts, "count"), value(facts, "deselected"), value(facts, "took"), value(facts, "problems"), value(facts, "go on"), value(facts, "only")}}
		c := collected{rest.text(), rest.int(), rest.int(), rest.seconds(), rest.int(), as[bool](rest), as[bool](rest)}
		f.bad = rest.bad
		return c
	case "tests":
		tests := []Test{} // not nil, since that means that they are not known
		for _, v := range f.list() {
			part := &fields{rest: listOf(f, v)}
			t := Test{Path: part.path(), Line: part.int(), Group: part.text()}
			for _, t.ID = range texts(part, part.list()) {
				tests = append(tests, t)
			}
			f.bad = f.bad || part.bad
		}
		return found{tests}
	case "start":
		return started{f.int(), f.time()}
	case "passed":
		return passed(worker, f.int(), f.time(), f.seconds(), f.seconds(), f.seconds(), f.seconds())
	case "done":
		return decodeDone(worker, f)
	case "warning":
		return warned{&Warning{Worker: worker, ID: f.text(), Category: f.text(), Message: f.text(), Path: f.path(), Line: f.int(), Source: f.text()}}
	case "returned":
		return returned{numbers(f, f.list())}
	case "stacks":
		return stacks{f.text()}
	case "notice":
		return notice{f.text()}
	case "internal":
		return internal{f.text()}
	case "finished":
		return finished{ExitCode(f.int()), f.text(), f.next(), f.text()}
	case "failed":
		return refused{ExitCode(f.int()), f.text()}
	}
	return nil
}

// next is a short form of "passed" and "start".
type next struct {
	Index                       int32
	At, Took, Setup, Call, Down float64
	Next                        int32
	NextAt                      float64
}

func decodeNext(worker string, packed []byte) ([]any, error) {
	var n next
	if size, err := binary.Decode(packed, binary.BigEndian, &n); err != nil || size < len(packed) {
		return nil, fmt.Errorf("execnet: worker %s has sent %d bytes that cannot be understood", worker, len(packed))
	}
	return []any{passed(worker, int(n.Index), timeOf(n.At), secondsOf(n.Took), secondsOf(n.Setup), secondsOf(n.Call), secondsOf(n.Down)),
		started{int(n.Next), timeOf(n.NextAt)}}, nil
}

// passed is the end of a test with nothing to tell but times.
func passed(worker string, index int, at time.Time, took, setup, call, down time.Duration) done {
	return done{index, TestDone{Worker: worker, Outcome: Passed, At: at, Took: took, Phases: []Phase{
		{When: "setup", Outcome: Passed, Took: setup}, {When: "call", Outcome: Passed, Took: call}, {When: "teardown", Outcome: Passed, Took: down}}}}
}

func optionsOf(f *fields, d *serializer.Dict) map[string]string {
	options := map[string]string{}
	for name, value := range d.All() {
		pair := texts(f, []any{name, value})
		options[pair[0]] = pair[1]
	}
	return options
}

func decodeDone(worker string, f *fields) any {
	d := done{index: f.int(), TestDone: TestDone{Worker: worker, Outcome: f.outcome(), Reason: f.text(), At: f.time(), Took: f.seconds(), Reruns: f.int()}}
	for _, v := range f.list() {
		pair := texts(f, listOf(f, v))
		if len(pair) != 2 {
			return nil
		}
		d.Properties = append(d.Properties, [2]string(pair))
	}
	for _, v := range f.list() {
		p := &fields{rest: listOf(f, v)}
		phase := Phase{When: p.text(), Outcome: p.outcome(), Took: p.seconds(), Text: p.text(), Path: p.path(), Line: p.int(), Explanation: p.text()}
		phase.Message, _, _ = strings.Cut(phase.Explanation, "\n")
		for _, v := range p.list() {
			pair := texts(p, listOf(p, v))
			if len(pair) != 2 {
				return nil
			}
			phase.Sections = append(phase.Sections, Section{pair[0], strings.TrimSuffix(pair[1], "\n")})
		}
		f.bad = f.bad || p.bad
		d.Phases = append(d.Phases, phase)
	}
	return d
}

// value is what a dict has for a key, or nil.
func value(d *serializer.Dict, key string) any {
	v, _ := d.Get(key)
	return v
}
