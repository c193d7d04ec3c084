package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/xspec"
)

// beside decides which programs run in a CPython beside the worker, and keeps that process: one at
// a time, and another one after its death.
type beside struct {
	worker    *worker
	process   engine.Process // nil if the worker's program has none
	setup     engine.Setup
	settings  Config
	engineKey string // the spec key engine

	mu     sync.Mutex // guards what follows
	relay  *gatewaybase.Relay
	judged map[string]string // what the engine says of programs, by judgedKey
}

// The bounds of judged, which is emptied when it is full. A longer program is not judged, because
// the goroutine that reads would have to wait for that.
const (
	mostJudged    = 64
	longestJudged = 64 << 10 // bytes of source
)

// route implements gatewaybase.Config.Route.
func (b *beside) route(g *gatewaybase.Gateway, p gatewaybase.Program) gatewaybase.Route {
	outside, why, err := b.decide(p)
	if !outside || err != nil {
		return gatewaybase.Route{Why: why, Err: err}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.relay != nil {
		select {
		case <-b.relay.Done():
		default:
			return gatewaybase.Route{Why: why, Relay: b.relay}
		}
	}
	b.setup.Python = b.settings.Python
	b.setup.Site, _ = b.settings.site()
	relay, err := b.process.Start(g, b.setup)
	if err != nil {
		return gatewaybase.Route{Why: why, Err: gofunc.Traceback("", "RuntimeError", errtext.Of(err))}
	}
	b.relay = relay
	return gatewaybase.Route{Why: why, Relay: relay}
}

// decide tells whether a program runs in CPython, and why; err says that it can run nowhere. why is
// empty for what is no program of the user's.
func (b *beside) decide(p gatewaybase.Program) (outside bool, why string, err error) {
	function, _, _, isCall := p.RemoteCall()
	if _, ok := b.worker.functions.engine[moduleOf(function)]; isCall && ok {
		return false, "", nil
	}
	// The answer to rinfo describes the interpreter in which programs run.
	if _, ok := b.worker.natives.Find(p); ok && !b.worker.natives.IsRInfo(p) {
		return false, "", nil
	}
	choice, source := b.choice()
	missing, help := b.missing()
	switch {
	case !slices.Contains(xspec.Engines(), choice): // a driver has set the variable since the start
		return false, "", gofunc.Traceback("", "ValueError", source+": there is no such engine; it is one of "+strings.Join(xspec.Engines(), ", "))
	case choice == xspec.EngineGpython:
		return false, "gpython: " + source, nil
	case b.started():
		return true, "CPython: a program of this gateway has run there before", nil
	case choice == xspec.EngineCPython && missing != "":
		return false, "nothing: there is no CPython: " + missing, gofunc.Traceback("", "RuntimeError",
			fmt.Sprintf("this Go worker is to run Python source in CPython (%s), and there is none: %s; %s", source, missing, help))
	case choice == xspec.EngineCPython:
		return true, "CPython: " + source, nil
	}
	reason := b.differs(p)
	switch {
	case reason == "":
		return false, "gpython: it does all of this program as CPython does", nil
	case missing != "":
		return false, fmt.Sprintf("gpython: there is no CPython: %s (it would run there because of %s)", missing, reason), nil
	}
	return true, "CPython: " + reason, nil
}

// choice returns one of xspec.Engines, unless EXECNET_ENGINE holds something else, and what says
// so.
func (b *beside) choice() (name, source string) {
	if b.engineKey != "" {
		return b.engineKey, "engine=" + b.engineKey + " in the spec"
	}
	return b.settings.engine()
}

// missing says why there is no CPython, and what to do; it is empty if there is one.
func (b *beside) missing() (problem, help string) {
	const inside = `or build the worker with one inside: import _ "github.com/go-execnet/execnet/embedded" in its program`
	if b.process == nil {
		return "the worker's program has no engine for it",
			`import _ "github.com/go-execnet/execnet/cpython" in that program for the CPython of its machine, ` + inside
	}
	err := b.process.Available(b.settings.Python)
	var notFound *cmdline.PythonNotFoundError
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &notFound):
		problem = "no " + strings.Join(notFound.Tried, " or ") + " is on PATH"
	default:
		problem = errtext.Of(err)
	}
	return problem, "install Python there, name one with EXECNET_PYTHON or the worker's option --python, " + inside
}

// started tells whether a program of this gateway has run in CPython.
func (b *beside) started() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.relay != nil
}

// differs returns what the worker may do otherwise than CPython in a program, or "".
func (b *beside) differs(p gatewaybase.Program) string {
	if function, _, _, ok := p.RemoteCall(); ok {
		return function + ", which is in no module of this worker's Go functions"
	}
	if _, ok := p.ServeCalls(); ok {
		return "calls of functions that are in no module of this worker's Go functions"
	}
	judge, ok := b.worker.engine.(engine.Judge)
	switch {
	case !ok:
		return "its engine, which cannot tell what it knows"
	case len(p.Source) > longestJudged:
		return fmt.Sprintf("its length of more than %d KiB", longestJudged>>10)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := p.Call + "\x00" + p.Source
	reason, known := b.judged[key]
	if !known {
		if len(b.judged) >= mostJudged {
			clear(b.judged)
		}
		reason = judge.Differs(p, b.worker.functions.engine)
		b.judged[key] = reason
	}
	return reason
}

// lacks are the classes of the errors by which an engine says that it does not know something.
// Other errors are the program's own, which it would have in CPython, too.
var lacks = []string{"ImportError", "SyntaxError", "AttributeError", "NotImplementedError", "SystemError"}

// explain adds to the error of a program that has run in the worker's own engine, for want of
// CPython, what to do about it.
func (b *beside) explain(p gatewaybase.Program, err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, engine.ErrInterrupted) {
		return err
	}
	if choice, _ := b.choice(); choice != xspec.EngineAuto {
		return err
	}
	raised, isRaised := err.(*gatewaybase.RemoteError)
	if isRaised && !slices.ContainsFunc(lacks, raised.IsInstance) {
		return err
	}
	missing, help := b.missing()
	reason := b.differs(p)
	_, noEngine := b.worker.engine.(engine.None)
	// A program with Go functions only is not meant to have a Python.
	if missing == "" || reason == "" || b.process == nil && noEngine {
		return err
	}
	note := fmt.Sprintf("A CPython would have run it, because of %s, but this Go worker has none: %s; %s.\n", reason, missing, help)
	if isRaised {
		more := *raised
		more.Formatted += note
		return &more
	}
	return errors.New(err.Error() + note)
}

// describe is what the worker says of its engines when it is asked (execnet info).
func (b *beside) describe() (engine, why string) {
	choice, source := b.choice()
	missing, help := b.missing()
	switch {
	case choice != xspec.EngineAuto && (missing == "" || choice == xspec.EngineGpython):
		return choice, source
	case choice != xspec.EngineAuto:
		return choice, fmt.Sprintf("%s, but there is no CPython: %s; %s", source, missing, help)
	case missing != "":
		return xspec.EngineGpython, fmt.Sprintf("there is no CPython: %s; %s", missing, help)
	}
	return xspec.EngineAuto, "gpython for programs that it runs as CPython does, CPython for the others and all that follow"
}

// run implements native.Natives.Beside: it executes a program for this worker's own purposes in the
// process beside it, if that runs now.
func (b *beside) run(ctx context.Context, source string, item any) error {
	b.mu.Lock()
	relay := b.relay
	b.mu.Unlock()
	if relay == nil {
		return nil
	}
	return relay.Run(ctx, source, item)
}
