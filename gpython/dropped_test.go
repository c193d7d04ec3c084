package gpython

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestDroppedIsCPythons compares what the programs of testdata/dropped.txt do, which leave
// generators before their end.
func TestDroppedIsCPythons(t *testing.T) {
	compareShown(t, python311(t), "", readPrograms(t, "testdata/dropped.txt"))
}

// TestUnclosedGenerators: a program that drops a generator where CPython would run code of it ends
// with an error, and no other program does.
func TestUnclosedGenerators(t *testing.T) {
	const generators = `
import threading
def plain():
    yield 1
    yield 2
def cleans():
    yield 0
    try:
        yield 1
    finally:
        print('closed')
    yield 2
def catches(kind):
    try:
        yield 1
    except kind:
        pass
def values():
    try:
        yield 1
    except (ValueError, channel.TimeoutError):
        pass
    except KeyError:
        pass
def exits():
    try:
        yield 1
    except ValueError:
        pass
    except (KeyError, BaseException):
        pass
class Manager:
    def __enter__(self):
        pass
    def __exit__(self, *about):
        pass
def managed():
    with Manager():
        yield 1
def outer():
    for x in managed():
        yield x
def delegates():
    yield from managed()
`
	w := newWorker(t, nil)
	for source, want := range map[string]string{
		"g = plain(); next(g)":                                         "",
		"g = cleans()":                                                 "",
		"g = cleans(); next(g)":                                        "",
		"g = cleans(); next(g); next(g)":                               "cleans (line 9)",
		"g = cleans(); next(g); next(g); next(g); del g":               "",
		"g = cleans(); list(g)":                                        "",
		"g = cleans(); next(g); next(g); g.close(); g = 1":             "",
		"a, b = plain(), cleans(); next(b); next(b)":                   "cleans (line 9)",
		"list(zip([1], cleans()))":                                     "",
		"list(zip([1, 2], cleans()))":                                  "cleans (line 9)",
		"print([x for x in [1] if any(cleans())])":                     "cleans (line 9)",
		"next(values())":                                               "",
		"next(exits())":                                                "exits (line 27)",
		"next(catches(ValueError))":                                    "catches (line 15)",
		"next(managed())":                                              "managed (line 39)",
		"next(outer())":                                                "managed (line 39)",
		"next(delegates())":                                            "managed (line 39)",
		"for x in outer(): break":                                      "",
		"for x in delegates(): break":                                  "",
		"for x in (y for y in managed()): break":                       "managed (line 39)",
		"for x in [managed()]: next(x)":                                "managed (line 39)",
		"exec('def g():\\n  try: yield\\n  finally: x=1\\nnext(g())')": "g (line 2)",
		"next(exits()); next(managed()); next(managed())":              "exits (line 27), managed (line 39)",
	} {
		ch := w.exec(t, generators+source)
		err := ch.WaitClose(within.Soon(t))
		if want == "" {
			assert.NoError(t, err, source)
			continue
		}
		var raised *gatewaybase.RemoteError
		if assert.ErrorAs(t, err, &raised, source) {
			assert.Equal(t, "NotImplementedError", raised.Exception(), source)
			assert.Equal(t, "Traceback (most recent call last):\nNotImplementedError: this Go worker's Python does not close generators that are dropped before "+
				"their end: the finally, with or except of "+want+" has not run\n", raised.Formatted, source)
		}
	}
	// A program that fails otherwise says both.
	err := w.exec(t, generators+"next(managed())\n1 / 0").WaitClose(within.Soon(t))
	var raised *gatewaybase.RemoteError
	require.ErrorAs(t, err, &raised)
	assert.Equal(t, "ZeroDivisionError", raised.Exception())
	assert.Contains(t, raised.Formatted, "\nBeside that, this Go worker's Python does not close generators")
	// Callbacks may go on with it.
	ch := w.exec(t, generators+"import sys\nsys.stderr = channel.makefile('w')\ng = managed()\nc = channel.gateway.newchannel()\nc.setcallback(lambda x: next(g))\nnext(g)")
	text, err := gatewaybase.Receive[string](within.Soon(t), ch)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(text, "managed (line 39) has not run, unless a callback or a thread still has it\n"), text)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}
