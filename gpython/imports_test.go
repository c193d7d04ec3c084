package gpython

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

func failing(err error) engine.Func {
	return func(context.Context, *gatewaybase.Channel, []any, *serializer.Dict) (any, error) { return nil, err }
}

var goModules = engine.Modules{
	"textstats": {
		"both": func(_ context.Context, _ *gatewaybase.Channel, args []any, kwargs *serializer.Dict) (any, error) {
			return []any{args, kwargs}, nil
		},
		"panics": func(context.Context, *gatewaybase.Channel, []any, *serializer.Dict) (any, error) {
			var m map[string]int
			//lint:ignore SA5000 it is to panic
			m["x"] = 1
			return nil, nil
		},
		"talks": func(ctx context.Context, ch *gatewaybase.Channel, args []any, _ *serializer.Dict) (any, error) {
			if err := ch.Send(ctx, "from Go"); err != nil {
				return nil, err
			}
			return ch.Receive(ctx)
		},
		"waits": func(ctx context.Context, _ *gatewaybase.Channel, _ []any, _ *serializer.Dict) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"odd": func(context.Context, *gatewaybase.Channel, []any, *serializer.Dict) (any, error) {
			return make(chan int), nil
		},
		"raised":  failing(&engine.Raised{Class: "KeyError", Message: "k"}),
		"wrapped": failing(fmt.Errorf("around: %w", &engine.Raised{Class: "ValueError", Message: "v"})),
		"unknown": failing(&engine.Raised{Class: "NoSuchError", Message: "v"}),
		"eof":     failing(io.EOF),
		"timeout": failing(gatewaybase.ErrTimeout),
		"plain":   failing(errors.New("plain")),
		"remote":  failing(&gatewaybase.RemoteError{Formatted: "far away"}),
	},
	"a.b": {"f": failing(&engine.Raised{Class: "LookupError"})},
	"a.b.c": {"n": func(context.Context, *gatewaybase.Channel, []any, *serializer.Dict) (any, error) {
		return int64(3), nil
	}},
}

func TestGoFunctions(t *testing.T) {
	w := newWorker(t, goModules)
	caught := func(name string) string {
		return "import textstats\ntry:\n    textstats." + name + "()\nexcept Exception as e:\n    channel.send([type(e).__name__, str(e)])"
	}
	for name, c := range map[string]struct {
		source string
		want   any
	}{
		"arguments": {"from textstats import both as f\nchannel.send(f(1, 'x', z=b'z', a={(): None}))",
			[]any{[]any{int64(1), "x"}, serializer.NewDict("a", serializer.NewDict(serializer.Tuple{}, nil), "z", []byte("z"))}},
		"channels":        {"import textstats\nchannel.send(textstats.both(channel)[0][0] is channel)", true},
		"dotted":          {"import a.b.c\nchannel.send(a.b.c.n())", int64(3)},
		"dotted as":       {"import a.b.c as x\nchannel.send(x.n())", int64(3)},
		"from package":    {"from a.b import c\nchannel.send(c.n())", int64(3)},
		"from outermost":  {"from a import b\nimport a.b.c\nchannel.send(b.c.n())", int64(3)},
		"star":            {"from a.b.c import *\nchannel.send(n())", int64(3)},
		"in a function":   {"def f():\n    import a.b.c\n    return a.b.c.n()\nchannel.send(f())", int64(3)},
		"raised":          {caught("raised"), []any{"KeyError", "'k'"}},
		"wrapped":         {caught("wrapped"), []any{"ValueError", "around: v"}},
		"unknown class":   {caught("unknown"), []any{"RuntimeError", "NoSuchError: v"}},
		"eof":             {caught("eof"), []any{"EOFError", ""}},
		"timeout":         {caught("timeout"), []any{"TimeoutError", "execnet: timeout"}},
		"plain":           {caught("plain"), []any{"RuntimeError", "plain"}},
		"remote":          {caught("remote"), []any{"RemoteError", "far away"}},
		"odd result":      {caught("odd"), []any{"RuntimeError", "a Go chan int has no counterpart in Python"}},
		"bad argument":    {"import textstats\ntry:\n    textstats.both(print)\nexcept Exception as e:\n    channel.send(type(e).__name__)", "DumpError"},
		"timeout's class": {"import textstats\ntry:\n    textstats.timeout()\nexcept channel.TimeoutError:\n    channel.send('caught')", "caught"},
		"missing name":    {"try:\n    from textstats import nope\nexcept ImportError as e:\n    channel.send(str(e))", "cannot import name 'nope' from 'textstats' (unknown location)"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, []any{c.want}, w.run(t, c.source)) })
	}
}

func TestGoFunctionPanics(t *testing.T) {
	w := newWorker(t, goModules)
	e := w.fails(t, "import textstats\ntextstats.panics()")
	assert.Equal(t, "RuntimeError", e.Exception())
	assert.Equal(t, "panic in textstats.panics: assignment to entry in nil map", e.Message())
	assert.Contains(t, e.Formatted, "imports_test.go:")
}

func TestPanicsOfTypedFunctions(t *testing.T) {
	f, err := gofunc.New("typed", func(x int) int { return 1 / (x - 1) })
	require.NoError(t, err)
	w := newWorker(t, engine.Modules{"typed": {"divide": f.Call}})
	e := w.fails(t, "import typed\ntyped.divide(1)")
	assert.Equal(t, "RuntimeError", e.Exception())
	assert.Equal(t, "panic in typed: runtime error: integer divide by zero", e.Message())
	assert.Regexp(t, `\n  \S+\.TestPanicsOfTypedFunctions\.func1\n    \S+imports_test\.go:\d+\nRuntimeError: panic in typed: [^\n]+\n$`, e.Formatted)
	text := "import typed\ntry:\n    typed.divide(1)\nexcept RuntimeError as e:\n    channel.send(str(e))"
	assert.Equal(t, []any{"panic in typed: runtime error: integer divide by zero"}, w.run(t, text))
}

func TestNamesOfFunctions(t *testing.T) {
	w := newWorker(t, goModules)
	assert.Equal(t, []any{"both", "both", nil, "textstats", "<Go function textstats.both>", "send", "len", "f", "doc", "__channelexec__", true}, w.run(t, `
import textstats
f = textstats.both
for x in f.__name__, f.__qualname__, f.__doc__, f.__module__, repr(f), channel.send.__name__, len.__name__:
    channel.send(x)
def f():
    "doc"
channel.send(f.__name__)
channel.send(f.__doc__)
channel.send(f.__module__)
channel.send(not hasattr(textstats.both, 'x') and callable(textstats.both))
`))
}

func TestGoFunctionTalks(t *testing.T) {
	w := newWorker(t, goModules)
	ch := w.exec(t, "import textstats\nchannel.send(textstats.talks())")
	assert.Equal(t, "from Go", receive(t, ch))
	require.NoError(t, ch.Send(t.Context(), "answer"))
	assert.Equal(t, "answer", receive(t, ch))
}

func TestImportErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("here.py", []byte("1/0"), 0o600))
	w := newWorker(t, goModules)
	for name, missing := range map[string]string{"here": "here", "asyncio": "asyncio", "a.x": "a.x", "textstats.both.x": "textstats.both"} {
		e := w.fails(t, "import "+name)
		assert.Equal(t, "ModuleNotFoundError", e.Exception())
		assert.Equal(t, "No module named '"+missing+"'", e.Message())
		assert.Contains(t, e.Formatted, "\nThis is a Go worker. Its modules are: a.b, a.b.c, base64, ")
	}
	assert.Equal(t, []any{"caught"}, w.run(t, "try:\n    import numpy\nexcept ImportError:\n    channel.send('caught')"))
}

func TestModules(t *testing.T) {
	w := newWorker(t, nil)
	t.Setenv("GPY_TEST", "set")
	platform := map[string]string{"windows": "win32"}[runtime.GOOS]
	if platform == "" {
		platform = runtime.GOOS
	}
	order := "little"
	if slices.Contains([]string{"s390x", "ppc64", "mips", "mips64"}, runtime.GOARCH) {
		order = "big"
	}
	for source, want := range map[string]any{
		"import sys\nchannel.send(sys.byteorder)": order,
		"import sys\nchannel.send([sys.version_info >= (3, 4), (3,) <= sys.version_info, sys.version_info < (3, 3), sys.version_info[0], sys.version_info.major, sys.version_info[:2], tuple(sys.version_info), sys.version_info == (3, 4, 0, 'final', 0)])": []any{true, true, false, int64(3), int64(3), serializer.Tuple{int64(3), int64(4)}, serializer.Tuple{int64(3), int64(4), int64(0), "final", int64(0)}, true},
		"import sys\nchannel.send([sys.platform, 'gpython' in sys.version, sys.maxsize, sys.path])":                                                                                                              []any{platform, true, int64(1<<63 - 1), []any{}},
		"import sys\nchannel.send([sys.stdin.read(), sys.stdin.readline(), list(sys.stdin), sys.stdout.write('abc')])\nprint('x')\nsys.stderr.write('y')\nsys.stdout.flush()":                                    []any{"", "", []any{}, int64(3)},
		"import sys\nsys.stdout = channel.makefile('w')\nprint('a', 1)":                                                                                                                                          "a 1\n",
		"try:\n    input()\nexcept EOFError:\n    channel.send('eof')":                                                                                                                                           "eof",
		"import os\nchannel.send([os.environ['GPY_TEST'], os.getenv('GPY_TEST'), os.getenv('GPY_NO', 5), os.environ.get('GPY_NO')])":                                                                             []any{"set", "set", int64(5), nil},
		"import os\nchannel.send([os.path.join('a', 'b', '/c', 'd') , os.path.basename('/x/y.z'), os.path.dirname('/x/y'), os.path.split('/x'), os.path.splitext('a/.b.c'), os.path.exists('/nowhere/at/all')])": []any{"/c/d", "y.z", "/x", serializer.Tuple{"/", "x"}, serializer.Tuple{"a/.b", ".c"}, false},
		"import os.path as p\nfrom os import path\nchannel.send(p is path)":                                                                                                                                      true,
		"import os\nchannel.send(os.getpid())": int64(os.Getpid()),
		"import time\nt = time.time()\ntime.sleep(0.01)\nchannel.send(0 < time.time() - t < 60 and time.monotonic() <= time.perf_counter())": true,
		"import math, string, binascii\nchannel.send([math.sqrt(9), string.digits, binascii.hexlify(b'a')])":                                 []any{3.0, "0123456789", []byte("61")},
		"from __future__ import print_function, division\nchannel.send(1 / 2)":                                                               0.5,
		"import math\ntry:\n    math.sqrt(-1)\nexcept ValueError as e:\n    channel.send(str(e))":                                            "math domain error",
		"import binascii\ntry:\n    binascii.unhexlify(b'x')\nexcept ValueError:\n    channel.send(1)":                                       int64(1),
	} {
		t.Run(source, func(t *testing.T) { assert.Equal(t, []any{want}, w.run(t, source)) })
	}
}

func TestInterruption(t *testing.T) {
	for name, source := range map[string]string{
		"loop":             "channel.send(1)\nwhile True: pass",
		"for":              "channel.send(1)\nfor x in range(10**15): pass",
		"comprehension":    "channel.send(1)\n[0 for x in range(10**15) if x < 0]",
		"calls":            "channel.send(1)\ndef f():\n    return g()\ndef g(): pass\nwhile True: f()",
		"caught":           "channel.send(1)\nn = 0\nwhile n < 2:\n    try:\n        while True: pass\n    except BaseException: n += 1\nwhile True: pass",
		"sleep":            "import time\nchannel.send(1)\ntime.sleep(1000)",
		"receive":          "channel.send(1)\nwhile True: channel.receive()",
		"iteration":        "channel.send(1)\nfor x in channel: pass",
		"receive in time":  "channel.send(1)\nwhile True: channel.receive(1000)",
		"another channel":  "channel.send(1)\nchannel.gateway.newchannel().waitclose()",
		"Go function":      "import textstats\nchannel.send(1)\ntextstats.waits()",
		"two busy threads": "def f(x):\n    while True: pass\nchannel.setcallback(f)\nchannel.send(1)\nwhile True: pass",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorker(t, goModules)
			ch := w.exec(t, source)
			receive(t, ch)
			require.NoError(t, ch.Send(t.Context(), 1))
			w.interrupt()
			start := time.Now()
			err := ch.WaitClose(within.Soon(t))
			assert.EqualError(t, err, "keyboard-interrupted")
			assert.Less(t, time.Since(start), 10*time.Second)
		})
	}
}

// TestCleaningUp lets handlers of an interruption run, for which busy code gets one
// KeyboardInterrupt.
func TestCleaningUp(t *testing.T) {
	for name, wait := range map[string]string{
		"busy": "while True: pass", "Go function": "textstats.waits()", "sleep": "time.sleep(1000)", "receive": "channel.receive()",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorker(t, goModules)
			ch := w.exec(t, `
import textstats, time
try:
    channel.send(1)
    `+wait+`
except KeyboardInterrupt:
    for x in range(1000): pass
    channel.send("interrupted")
finally:
    channel.send("cleaned up")
`)
			receive(t, ch)
			w.interrupt()
			assert.Equal(t, "interrupted", receive(t, ch))
			assert.Equal(t, "cleaned up", receive(t, ch))
			assert.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}

func TestSys(t *testing.T) {
	w := newWorker(t, goModules)
	assert.Equal(t, []any{true}, w.run(t, `
import sys, textstats, os.path
assert sys.dont_write_bytecode is True and sys.flags.optimize == 0 and sys.implementation.name == 'gpython'
sys.dont_write_bytecode = False
sys.path.insert(0, 'x')
sys.path.remove('x')
assert isinstance(sys.argv, list) and sys.maxsize > 2**31 and sys.byteorder in ('little', 'big')
assert sys.getdefaultencoding() == 'utf-8' and sys.prefix == sys.exec_prefix == ''
assert sys.modules['sys'] is sys and 'textstats' in sys.modules and 'os.path' in sys.modules and 'builtins' in sys.modules
assert 'json' not in sys.modules
sys.stdout.write('x'), sys.stdout.flush(), sys.stderr.write('x'), sys.stderr.flush()
assert sys.exc_info() == (None, None, None)
try:
    1 / 0
except ZeroDivisionError as e:
    info = sys.exc_info()
    assert info[0] is ZeroDivisionError and info[1] is e and info[2] is not None
assert sys.exc_info() == (None, None, None)
channel.send(True)
`))
}

func TestTypeMakesClasses(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{"X", "<class '__channelexec__.X'>", int64(5), int64(6), "caught e"}, w.run(t, `
X = type('X', (), {})
channel.send(X.__name__)
channel.send(repr(X))
class Base:
    def f(self): return self.n
Y = type('Y', (Base,), {'n': 5})
channel.send(Y().f())
y = Y()
y.n = 6
channel.send(y.f())
E = type('E', (ValueError,), dict(__doc__='x'))
try:
    raise E('e')
except ValueError as e:
    channel.send('caught ' + str(e))
`))
	for source, class := range map[string]string{
		"type(1, (), {})": "TypeError", "type('X', [], {})": "TypeError", "type('X', (), 1)": "TypeError",
		"type('X', (1,), {})": "TypeError", "type('X', (), {1: 2})": "TypeError", "type('X', ())": "TypeError",
	} {
		assert.Equal(t, class, w.fails(t, source).Exception(), source)
	}
}
