package compat_tests

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// chainSource raises KeyError, then an Error of its own while that is handled, then a ValueError
// because of it. Python 2 knows only the last.
const chainSource = `
class Fehler(LookupError): pass
if str is not bytes:
    exec("class Fehler_\u00e9(LookupError): pass\nFehler = Fehler_\u00e9")
def f():
    try:
        {}[1]
    except KeyError:
        raise Fehler(u"zwei\nZeilen")
try:
    f()
except Exception as e:
    error = e
    last = ValueError("three: four")
    if str is not bytes:
        last.__cause__ = OSError("never raised") if channel.receive() else error
    raise last
`

const groupSource = `
def raised(error):
    try: raise error
    except BaseException as e: return e
def chained():
    try: {}[1]
    except KeyError:
        try: raise ValueError("b\nc")
        except ValueError as e: return e
raise ExceptionGroup("all of it", [
    raised(TypeError("a")), chained(), OSError("never raised"),
    raised(ExceptionGroup("inner", [KeyError(1), raised(ExceptionGroup("deep", [EOFError()]))])),
    ExceptionGroup("bare", [EOFError("x"), EOFError("y")]), SystemError("after")])
`

// onEveryWorker calls each with gateways to all Pythons, with this module's worker, and with pip's.
func onEveryWorker(t *testing.T, each func(t *testing.T, p pythons.Interpreter, gw *execnet.Gateway, ours bool)) {
	specs := map[string]pythons.Interpreter{}
	for _, p := range pythons.All(t) {
		specs[p.Spec()] = p
	}
	pip := "popen//bootstrap=import//python=" + pythons.WithExecnet(t)
	specs[pip] = pythons.Interpreter{Major: 3, Minor: 11}
	for spec, p := range specs {
		t.Run(spec, func(t *testing.T) {
			group := execnet.NewGroup()
			defer func() { require.NoError(t, group.Terminate(within.Soon(t))) }()
			gw, err := group.MakeGateway(within.Soon(t), spec)
			require.NoError(t, err)
			each(t, p, gw, spec != pip)
		})
	}
}

// raisedBy is the error of a source.
func raisedBy(t *testing.T, gw *execnet.Gateway, source string, item any) *execnet.RemoteError {
	ch, err := gw.RemoteExec(within.Soon(t), source)
	require.NoError(t, err)
	if item != nil {
		require.NoError(t, ch.Send(within.Soon(t), item))
	}
	var e *execnet.RemoteError
	require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &e)
	return e
}

func TestCausesOfRemoteErrors(t *testing.T) {
	onEveryWorker(t, func(t *testing.T, p pythons.Interpreter, gw *execnet.Gateway, ours bool) {
		if p.Major == 2 {
			e := raisedBy(t, gw, chainSource, nil)
			assert.Equal(t, "ValueError: three: four", e.Summary())
			assert.Nil(t, e.Cause())
			return
		}
		e := raisedBy(t, gw, chainSource, false)
		assert.Equal(t, "ValueError: three: four", e.Summary())
		class := "__channelexec__.Fehler_é"
		second := e.Cause()
		require.NotNil(t, second)
		assert.Equal(t, class+": zwei", second.Summary(), e.Formatted)
		assert.True(t, second.IsInstance("Fehler_é"))
		require.NotNil(t, second.Cause())
		assert.Equal(t, "KeyError: 1", second.Cause().Summary())
		assert.Nil(t, second.Cause().Cause())

		wrapped := fmt.Errorf("wrapped: %w", e)
		assert.ErrorIs(t, wrapped, execnet.Exception("ValueError"))
		assert.Equal(t, ours, errors.Is(wrapped, execnet.Exception("Exception")), "only our workers tell base classes")
		assert.NotErrorIs(t, wrapped, execnet.Exception("KeyError"), "a cause is another error")

		e = raisedBy(t, gw, chainSource, true)
		require.NotNil(t, e.Cause())
		assert.Equal(t, "OSError: never raised", e.Cause().Summary())
		assert.Nil(t, e.Cause().Cause())
		assert.Nil(t, e.Exceptions())
	})
}

func TestExceptionsOfGroups(t *testing.T) {
	tested := 0
	onEveryWorker(t, func(t *testing.T, p pythons.Interpreter, gw *execnet.Gateway, _ bool) {
		if !p.AtLeast(3, 11) {
			return // it has no groups
		}
		tested++
		e := raisedBy(t, gw, groupSource, nil)
		var said []string
		var tell func(e *execnet.RemoteError, indent string)
		tell = func(e *execnet.RemoteError, indent string) {
			line := indent + e.Summary()
			if cause := e.Cause(); cause != nil {
				line += " after " + cause.Summary()
			}
			said = append(said, line)
			for _, member := range e.Exceptions() {
				tell(member, indent+" ")
			}
		}
		tell(e, "")
		assert.Equal(t, []string{
			"ExceptionGroup: all of it (6 sub-exceptions)", " TypeError: a", " ValueError: b after KeyError: 1",
			" OSError: never raised", " ExceptionGroup: inner (2 sub-exceptions)", "  KeyError: 1",
			"  ExceptionGroup: deep (1 sub-exception)", "   EOFError", " ExceptionGroup: bare (2 sub-exceptions)",
			"  EOFError: x", "  EOFError: y", " SystemError: after",
		}, said, e.Formatted)
		assert.True(t, strings.HasPrefix(e.Exceptions()[0].Formatted, "Traceback (most recent call last):\n  File"))

		many := raisedBy(t, gw, `raise ExceptionGroup("m", [ValueError(i) for i in range(40)])`, nil)
		assert.Len(t, many.Exceptions(), 15)
		assert.Equal(t, "ValueError: 14", many.Exceptions()[14].Summary())
	})
	assert.NotZero(t, tested)
}
