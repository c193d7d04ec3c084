package cpython_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/cpython"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/worker"
)

type order struct {
	Reverse bool `execnet:"reverse"`
}

// passing has an element when a function that waits may return.
var passing = make(chan struct{})

// waits is how many calls have come to wait for the ends of their contexts.
var waits atomic.Int64

func TestMain(m *testing.M) {
	worker.Register("texts.words", worker.Funcs{
		"split": func(text string, how order) []string {
			words := strings.Fields(text)
			if how.Reverse {
				for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
					words[i], words[j] = words[j], words[i]
				}
			}
			return words
		},
		"same": func(v any) any { return v },
		"fail": func() error { return errors.Join(&worker.Raised{Class: "KeyError", Message: "no such word"}) },
		"echo": func(ctx context.Context, ch *execnet.Channel) error {
			for v, err := range ch.Items(ctx) {
				if err != nil {
					return err
				}
				if err := ch.Send(ctx, v); err != nil {
					return err
				}
			}
			return nil
		},
		"wait":  func(ctx context.Context) error { waits.Add(1); <-ctx.Done(); return ctx.Err() },
		"waits": func() int { return int(waits.Load()) },
		"go_on": func(wait bool) {
			if wait {
				<-passing
			}
		},
		"open": func() { passing <- struct{}{} },
		"end": func(goroutine bool) {
			if goroutine {
				runtime.Goexit()
			}
		},
	})
	worker.ServeIfWorker()
	os.Exit(m.Run())
}

// everyPython runs a test with a gateway to this program and each CPython behind it.
func everyPython(t *testing.T, test func(t *testing.T, gw *execnet.Gateway)) {
	t.Helper()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			group := execnet.NewGroup()
			t.Cleanup(func() { require.NoError(t, group.Terminate(within.Soon(t))) })
			gw, err := group.MakeGateway(within.Soon(t), "popen//self//engine=cpython//env:EXECNET_PYTHON="+python.Path)
			require.NoError(t, err)
			test(t, gw)
		})
	}
}

func TestGoDriver(t *testing.T) {
	everyPython(t, func(t *testing.T, gw *execnet.Gateway) {
		ch, err := gw.RemoteExec(within.Soon(t), `
import sys
from texts import words
channel.send(words.split(u"a b c", reverse=True))
try:
    words.fail()
except KeyError as e:
    channel.send(e.args[0] if sys.version_info[0] == 3 else e.args[0].decode("ascii"))
words.echo()
`)
		require.NoError(t, err)
		split, err := execnet.Receive[[]string](within.Soon(t), ch)
		require.NoError(t, err)
		assert.Equal(t, []string{"c", "b", "a"}, split)
		said, err := execnet.Receive[string](within.Soon(t), ch)
		require.NoError(t, err)
		assert.Equal(t, "no such word", said)
		for _, v := range []any{nil, int64(1), "\u20ac", bytes.Repeat([]byte{7}, 3<<20), []any{int64(1), execnet.Tuple{2.5}}} {
			if _, ok := v.([]byte); ok && isPython2(t, gw) {
				continue // its bytes are a str, which arrives as text
			}
			require.NoError(t, ch.Send(within.Soon(t), v))
			got, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, v, got)
		}
		require.NoError(t, ch.Close())

		ch, err = gw.RemoteExec(within.Soon(t), "import texts.words\ntexts.words.split(1)")
		require.NoError(t, err)
		var remote *execnet.RemoteError
		require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &remote)
		assert.Equal(t, "TypeError", remote.Exception())
		assert.Contains(t, remote.Formatted, "texts.words.split() argument 1: ")
	})
}

func isPython2(t *testing.T, gw *execnet.Gateway) bool {
	t.Helper()
	info, err := gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	return info.VersionInfo.Major == 2
}

func TestManyProgramsCall(t *testing.T) {
	everyPython(t, func(t *testing.T, gw *execnet.Gateway) {
		var running sync.WaitGroup
		for i := range 8 {
			running.Go(func() {
				ch, err := gw.RemoteExec(within.Soon(t), "import texts.words\nfor v in channel: channel.send(texts.words.same([v, v]))")
				if !assert.NoError(t, err) {
					return
				}
				for j := range 50 {
					v := int64(100*i + j)
					assert.NoError(t, ch.Send(within.Soon(t), v))
					got, err := ch.Receive(within.Soon(t))
					assert.NoError(t, err)
					assert.Equal(t, []any{v, v}, got)
				}
				assert.NoError(t, ch.Close())
			})
		}
		running.Wait()
	})
}

// TestAFunctionThatWaits ends a gateway while a function waits for the end of its context.
func TestAFunctionThatWaits(t *testing.T) {
	group := execnet.NewGroup()
	gw, err := group.MakeGateway(within.Soon(t), "popen//self//engine=cpython")
	require.NoError(t, err)
	ch, err := gw.RemoteExec(within.Soon(t), "import texts.words\nchannel.send(1)\ntexts.words.wait()")
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	require.NoError(t, group.Terminate(within.Soon(t)))
}

// TestQuickOnceIsNotQuickAlways has functions that were quick wait for other calls, and end their
// goroutines.
func TestQuickOnceIsNotQuickAlways(t *testing.T) {
	everyPython(t, func(t *testing.T, gw *execnet.Gateway) {
		ch, err := gw.RemoteExec(within.Soon(t), `
import threading
from texts import words
for n in range(20):
    for i in range(20):
        words.end(False)
        words.go_on(False)
    waits = threading.Thread(target=words.go_on, args=(True,))
    waits.start()
    words.open()
    waits.join()
    try:
        words.end(True)
    except RuntimeError:
        channel.send(n)
`)
		require.NoError(t, err)
		for n := range int64(20) {
			got, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, n, got)
		}
		require.NoError(t, ch.WaitClose(within.Soon(t)))
	})
}

// Small arguments and results go a way of their own, which depends on their sizes and types.
func TestSizesOfValues(t *testing.T) {
	everyPython(t, func(t *testing.T, gw *execnet.Gateway) {
		ch, err := gw.RemoteExec(within.Soon(t), `
from texts import words
for size in list(range(455, 485)) + list(range(4040, 4110)) + [3, 4096, 65536, 70000, 3]:
    for value in u"x" * size, u"\u20ac" * (size // 3), bytearray(b"y" * size):
        same = words.same(value)
        assert same == value, (size, same)
        same = words.same(value)
        assert same == value, (size, same)
for value in None, True, False, 0, -1, 2 ** 31 - 1, 2 ** 31, -2 ** 31, -2 ** 31 - 1, 2 ** 70, 2.5, u"", (), {}, [1, u"x"]:
    same = words.same(value)
    assert same == value and type(same) is type(value), (value, same)
try:
    words.same(u"\ud800")
except Exception as error:
    assert str is bytes or "words.same() argument 1" in str(error), error
else:
    assert False, "it is no text"
channel.send(True)
`)
		require.NoError(t, err)
		fine, err := execnet.Receive[bool](within.Soon(t), ch)
		require.NoError(t, err)
		assert.True(t, fine)
	})
}
