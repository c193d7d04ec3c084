package worker

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/worker/internal/native"
	"github.com/go-execnet/execnet/xspec"
)

// judging is an engine that does exactly what does not begin with "import".
type judging struct {
	engine.None
	asked *int
}

func (j judging) Differs(p gatewaybase.Program, _ engine.Modules) string {
	*j.asked++
	if strings.HasPrefix(p.Source, "import") {
		return p.Source
	}
	return ""
}

// process is a Process of which nothing is started; its error is that of Available.
type process struct{ err error }

func (p process) Available(string) error { return p.err }

func (process) Start(*gatewaybase.Gateway, engine.Setup) (*gatewaybase.Relay, error) {
	return nil, errors.New("execnet: no pipes")
}

// newBeside makes a beside with the engine judging; p is nil if the program has no CPython engine.
func newBeside(p engine.Process) *beside {
	w := &worker{engine: judging{asked: new(int)}, functions: functions{engine: engine.Modules{"known": {}}}, natives: native.Natives{}}
	w.beside = &beside{worker: w, process: p, judged: map[string]string{}}
	return w.beside
}

func source(text string) gatewaybase.Program {
	return gatewaybase.Program{Source: text, Kwargs: serializer.NewDict()}
}

// called is the program that RemoteCall sends.
func called(t *testing.T, function string) gatewaybase.Program {
	t.Helper()
	here, there := pipes.Pair(t)
	programs := make(chan gatewaybase.Program, 1)
	far := gatewaybase.New(there, gatewaybase.Config{Spec: &xspec.Spec{ID: "gw0-worker"}, Executor: newPool("thread", nil),
		Route: func(_ *gatewaybase.Gateway, p gatewaybase.Program) gatewaybase.Route {
			if _, ok := p.ServeCalls(); !ok {
				programs <- p
			}
			return gatewaybase.Route{Err: errors.New("noted")}
		}})
	driver := gatewaybase.New(here, gatewaybase.Config{Spec: &xspec.Spec{ID: "gw0"}})
	t.Cleanup(func() {
		driver.Exit()
		require.NoError(t, driver.Join(within.Soon(t)))
		require.NoError(t, far.Join(within.Soon(t)))
	})
	_, err := driver.RemoteCall(within.Soon(t), function)
	require.ErrorContains(t, err, "noted")
	return <-programs
}

var noPython = &cmdline.PythonNotFoundError{Tried: []string{"python3", "python"}}

func TestWhichEngine(t *testing.T) {
	const there, none, absent = "there", "none", "absent" // of a CPython, or of the engine for it
	for _, test := range []struct {
		key, setting, variable, cpython string
		started                         bool
		program                         string
		outside                         bool
		why, err                        string
	}{
		{program: "pass", why: "gpython: it does all of this program as CPython does"},
		{program: "import x", outside: true, why: "CPython: import x"},
		{program: "pass", started: true, outside: true, why: "CPython: a program of this gateway has run there before"},
		{program: "pass", cpython: none, why: "gpython: it does all of this program as CPython does"},
		{program: "import x", cpython: none, why: "gpython: there is no CPython: no python3 or python is on PATH (it would run there because of import x)"},
		{program: "import x", cpython: absent, why: "gpython: there is no CPython: the worker's program has no engine for it (it would run there because of import x)"},
		{program: strings.Repeat(" ", longestJudged+1), outside: true, why: "CPython: its length of more than 64 KiB"},

		{variable: "gpython", program: "import x", why: "gpython: EXECNET_ENGINE=gpython"},
		{variable: "gpython", setting: "cpython", program: "pass", outside: true, why: "CPython: --engine cpython"},
		{variable: "gpython", setting: "gpython", key: "cpython", program: "pass", outside: true, why: "CPython: engine=cpython in the spec"},
		{variable: "cpython", key: "auto", program: "pass", why: "gpython: it does all of this program as CPython does"},
		{variable: "cpython", key: "gpython", program: "import x", why: "gpython: engine=gpython in the spec"},
		{setting: "auto", variable: "cpython", program: "pass", why: "gpython: it does all of this program as CPython does"},

		{setting: "cpython", cpython: none, program: "pass", why: "nothing: there is no CPython: no python3 or python is on PATH",
			err: "this Go worker is to run Python source in CPython (--engine cpython), and there is none: no python3 or python is on PATH; install Python there, name one with EXECNET_PYTHON or the worker's option --python, or build the worker with one inside"},
		{setting: "cpython", cpython: absent, program: "pass", why: "nothing: there is no CPython: the worker's program has no engine for it",
			err: `there is none: the worker's program has no engine for it; import _ "github.com/go-execnet/execnet/cpython" in that program`},
		{variable: "fast", program: "pass", err: "EXECNET_ENGINE=fast: there is no such engine; it is one of auto, gpython, cpython"},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			t.Setenv("EXECNET_ENGINE", test.variable)
			p := engine.Process(process{})
			switch test.cpython {
			case none:
				p = process{noPython}
			case absent:
				p = nil
			}
			b := newBeside(p)
			b.engineKey, b.settings.Engine = test.key, test.setting
			if test.started {
				b.relay = new(gatewaybase.Relay)
			}
			for range 3 { // the same each time
				outside, why, err := b.decide(source(test.program))
				assert.Equal(t, test.outside, outside)
				assert.Equal(t, test.why, why)
				if test.err == "" {
					assert.NoError(t, err)
				} else {
					assert.ErrorContains(t, err, test.err)
				}
			}
		})
	}
}

func TestCallsGoWhereTheFunctionIs(t *testing.T) {
	t.Setenv("EXECNET_ENGINE", "")
	b := newBeside(process{})
	outside, why, err := b.decide(called(t, "known.f"))
	require.NoError(t, err)
	assert.False(t, outside)
	assert.Empty(t, why, "it is no program")
	outside, why, err = b.decide(called(t, "json.dumps"))
	require.NoError(t, err)
	assert.True(t, outside)
	assert.Equal(t, "CPython: json.dumps, which is in no module of this worker's Go functions", why)
	b.settings.Engine = "gpython"
	outside, _, err = b.decide(called(t, "json.dumps"))
	require.NoError(t, err)
	assert.False(t, outside)
	b.settings.Engine = "cpython"
	outside, _, err = b.decide(called(t, "known.f"))
	require.NoError(t, err)
	assert.False(t, outside, "whatever the engine, it is a Go function")
}

// A CPython that cannot be started is an error of the program, never one that another engine hides.
func TestStartFails(t *testing.T) {
	t.Setenv("EXECNET_ENGINE", "")
	route := newBeside(process{}).route(nil, source("import x"))
	assert.Nil(t, route.Relay)
	assert.EqualError(t, route.Err, "Traceback (most recent call last):\nRuntimeError: no pipes")
}

func TestProgramsAreJudgedOnce(t *testing.T) {
	b := newBeside(process{})
	asked := b.worker.engine.(judging).asked
	for range 10 {
		assert.Empty(t, b.differs(source("pass")))
	}
	assert.Equal(t, 1, *asked)
	for i := range 3 * mostJudged {
		assert.Equal(t, fmt.Sprint("import ", i), b.differs(source(fmt.Sprint("import ", i))))
		assert.LessOrEqual(t, len(b.judged), mostJudged)
	}
}

// An error of a program that has run in gpython for want of CPython says what to do.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Setenv("EXECNET_ENGINE", "")
	traceback := gofunc.Traceback("", "ImportError", "No module named 'x'")
	b := newBeside(process{noPython})
	err := b.explain(source("import x"), traceback)
	assert.EqualError(t, err, traceback.Formatted+"A CPython would have run it, because of import x, but this Go worker has none: no python3 or python is on PATH; "+
		"install Python there, name one with EXECNET_PYTHON or the worker's option --python, or build the worker with one inside: "+
		"import _ \"github.com/go-execnet/execnet/embedded\" in its program.")
	var raised *gatewaybase.RemoteError
	require.ErrorAs(t, err, &raised)
	assert.Equal(t, traceback.Text, raised.Text)
	assert.Equal(t, traceback.MRO, raised.MRO)
	assert.ErrorContains(t, b.explain(source("import x"), errors.New("text\n")), "text\nA CPython would")

	for name, unchanged := range map[string]error{"nothing": nil, "the end": io.EOF, "an interruption": engine.ErrInterrupted} {
		assert.Equal(t, unchanged, b.explain(source("import x"), unchanged), name)
	}
	assert.Same(t, traceback, b.explain(source("pass"), traceback), "CPython would do the same")
	own := gofunc.Traceback("", "ValueError", "no")
	assert.Same(t, own, b.explain(source("import x"), own), "the program's own")
	b.settings.Engine = "gpython"
	assert.Same(t, traceback, b.explain(source("import x"), traceback), "gpython was asked for")
	there := newBeside(process{})
	assert.Same(t, traceback, there.explain(source("import x"), traceback), "there is one")
}

// What a driver sets by its set-up, as Python's execnet does for env:, counts like what was there
// at the start.
func TestEngineOfTheSetUp(t *testing.T) {
	t.Setenv("EXECNET_ENGINE", "")
	b := newBeside(process{})
	outside, _, err := b.decide(source("pass"))
	require.NoError(t, err)
	assert.False(t, outside)
	t.Setenv("EXECNET_ENGINE", "cpython")
	outside, _, err = b.decide(source("pass"))
	require.NoError(t, err)
	assert.True(t, outside)
}

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		setting           string
		err               error
		engine, why, help string
	}{
		{"", nil, "auto", "gpython for programs that it runs as CPython does", ""},
		{"", noPython, "gpython", "there is no CPython: no python3 or python is on PATH; ", "EXECNET_PYTHON"},
		{"gpython", noPython, "gpython", "--engine gpython", ""},
		{"cpython", nil, "cpython", "--engine cpython", ""},
		{"cpython", noPython, "cpython", "--engine cpython, but there is no CPython: no python3", "embedded"},
	} {
		t.Setenv("EXECNET_ENGINE", "")
		b := newBeside(process{test.err})
		b.settings.Engine = test.setting
		engine, why := b.describe()
		assert.Equal(t, test.engine, engine)
		assert.Contains(t, why, test.why)
		assert.Contains(t, why, test.help)
	}
}
