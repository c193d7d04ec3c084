package pytest

import (
	"fmt"
	"strings"
	"testing"
)

// subtest is a subtest of Go: a file, a class, a function with parameters, or a Python test. It
// begins when the first test in it begins, and ends with the last one. Tests run side by side, so
// package testing gets each one in a goroutine of its own.
//
// One goroutine, that of Run, calls all methods.
type subtest struct {
	name   string   // its last element, as package testing shows it
	full   string   // its whole name
	parent *subtest // nil for the Go test that has called Run
	parts  map[string]*subtest
	names  map[string]bool // of the parts
	left   int             // tests in it that were selected and have not ended

	t      *testing.T // nil before it has begun
	begun  bool
	closed bool
	finish chan func(*testing.T) // takes what the subtest does at its end
	ended  chan struct{}
}

// root is the Go test that has called Run.
func root(t *testing.T) *subtest {
	s := newSubtest(nil, "", t.Name())
	s.t, s.begun = t, true
	return s
}

func newSubtest(parent *subtest, name, full string) *subtest {
	return &subtest{name: name, full: full, parent: parent, parts: map[string]*subtest{}, names: map[string]bool{},
		finish: make(chan func(*testing.T), 1), ended: make(chan struct{})}
}

// elements are the names of the subtests for a node id, from the file on.
func elements(id string) []string {
	file, rest, below := strings.Cut(id, "::")
	if !below {
		return []string{file}
	}
	rest, parameters, parametrized := strings.Cut(rest, "[")
	all := append([]string{file}, strings.Split(rest, "::")...)
	if parametrized {
		all = append(all, strings.TrimSuffix(parameters, "]"))
	}
	return all
}

// part returns the subtest with these names, and makes those that are not there yet.
func (s *subtest) part(elements []string) *subtest {
	for _, element := range elements {
		next := s.parts[element]
		if next == nil {
			name := s.unused(element)
			next = newSubtest(s, name, s.full+"/"+name)
			s.parts[element] = next
		}
		s = next
	}
	return s
}

// test adds a test of this node id. Of several with the same id each gets a subtest.
func (s *subtest) test(id string) *subtest {
	all := elements(id)
	s = s.part(all[:len(all)-1])
	last := all[len(all)-1]
	name := s.unused(last)
	test := newSubtest(s, name, s.full+"/"+name)
	if s.parts[last] == nil {
		s.parts[last] = test
	}
	return test
}

// unused returns a name for a part as package testing would show it: one that no other part has.
func (s *subtest) unused(element string) string {
	base := visible(element)
	name := base
	if base == "" {
		name = "#00"
	}
	for n := 1; s.names[name]; n++ {
		name = fmt.Sprintf("%s#%02d", base, n)
	}
	s.names[name] = true
	return name
}

// expect says that a test, or another part that can end, was selected.
func (s *subtest) expect() {
	for s = s.parent; s != nil; s = s.parent {
		s.left++
	}
}

// begin has package testing begin the subtest, and those that it is part of. It returns false if
// that does not, because of -failfast.
func (s *subtest) begin() bool {
	if s.begun {
		return s.t != nil
	}
	s.begun = true
	if !s.parent.begin() {
		return false
	}
	began := make(chan *testing.T, 1)
	go func() {
		defer close(s.ended)
		s.parent.t.Run(s.name, func(t *testing.T) {
			began <- t
			(<-s.finish)(t)
		})
	}()
	select {
	case s.t = <-began:
	case <-s.ended:
	}
	return s.t != nil
}

// end ends the subtest with a function that may call all methods of t, and waits for that. It also
// ends those that it was the last part of.
func (s *subtest) end(last func(t *testing.T)) {
	s.close(last)
	for s := s; s.parent != nil; s = s.parent {
		if s.parent.left--; s.parent.left == 0 && s.parent.parent != nil {
			s.parent.close(func(*testing.T) {})
		}
	}
}

// close is end for this subtest alone.
func (s *subtest) close(last func(t *testing.T)) {
	if s.closed || s.t == nil {
		return
	}
	s.closed = true
	s.finish <- last
	<-s.ended
}

// closeAll ends all parts that have begun and not ended.
func (s *subtest) closeAll() {
	for _, part := range s.parts {
		part.closeAll()
		part.close(func(*testing.T) {})
	}
}
