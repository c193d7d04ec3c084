package gofunc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/xspec"
)

type options struct {
	Least int    `execnet:"least"`
	Lang  string `execnet:"lang"`
}

func call(t *testing.T, f any, args ...any) (any, error) {
	t.Helper()
	w, err := New("m.f", f)
	require.NoError(t, err)
	return w.Call(t.Context(), nil, args, nil)
}

func TestArgumentsAndResults(t *testing.T) {
	for name, test := range map[string]struct {
		f    any
		args []any
		want any
	}{
		"nothing":      {func() {}, nil, nil},
		"only error":   {func() error { return nil }, nil, nil},
		"value":        {func(s string) int { return len(s) }, []any{"abc"}, 3},
		"two values":   {func(a, b int) (int, int) { return b, a }, []any{int64(1), int64(2)}, serializer.Tuple{2, 1}},
		"and an error": {func(a float64) (float64, error) { return a / 2, nil }, []any{3.0}, 1.5},
		"any":          {func(v any) any { return v }, []any{nil}, nil},
		"slice":        {func(v []string) string { return strings.Join(v, "") }, []any{[]any{"a", "b"}}, "ab"},
		"map":          {func(v map[string]int) int { return v["a"] }, []any{serializer.NewDict("a", int64(7))}, 7},
		"struct":       {func(o options) options { return o }, []any{serializer.NewDict("least", int64(7))}, options{Least: 7}},
		"no keywords":  {func(s string, o options) (string, options) { return s, o }, []any{"x"}, serializer.Tuple{"x", options{}}},
		"variadic":     {func(sep string, v ...string) string { return strings.Join(v, sep) }, []any{"-", "a", "b"}, "a-b"},
		"context":      {func(ctx context.Context, n int) bool { return ctx != nil && n == 1 }, []any{int64(1)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call(t, test.f, test.args...)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestArgumentsThatDoNotFit(t *testing.T) {
	count := func(doc string, n int) int { return n }
	for says, args := range map[string][]any{
		"m.f() takes 2 positional arguments but 1 was given":  {"a"},
		"m.f() takes 2 positional arguments but 3 were given": {"a", int64(1), nil},
		"m.f() argument 1: ": {int64(1), int64(1)},
		"m.f() argument 2: ": {"a", "b"},
	} {
		_, err := call(t, count, args...)
		var raised *engine.Raised
		require.ErrorAs(t, err, &raised)
		assert.Equal(t, "TypeError", raised.Class)
		assert.Contains(t, raised.Message, says)
		assert.NotContains(t, raised.Message, "byte ", "the caller saw no bytes")
	}
	w, err := New("m.f", count)
	require.NoError(t, err)
	_, err = w.Call(t.Context(), nil, []any{"a", int64(1)}, serializer.NewDict("x", true))
	assert.EqualError(t, err, "TypeError: m.f() takes no keyword arguments")
}

func TestKeywords(t *testing.T) {
	w, err := New("m.f", func(s string, o options) options { return o })
	require.NoError(t, err)
	got, err := w.Call(t.Context(), nil, []any{"a"}, serializer.NewDict("least", int64(2), "lang", "de"))
	require.NoError(t, err)
	assert.Equal(t, options{2, "de"}, got)
	_, err = w.Call(t.Context(), nil, []any{"a"}, serializer.NewDict("most", int64(2)))
	assert.EqualError(t, err, "TypeError: m.f() got an unexpected keyword argument 'most'")
	_, err = w.Call(t.Context(), nil, []any{"a", serializer.NewDict()}, serializer.NewDict("least", int64(2)))
	assert.ErrorContains(t, err, "in their place")
}

func TestChannelParameter(t *testing.T) {
	here, there := pipes.Pair(t)
	gw := gatewaybase.New(here, gatewaybase.Config{Spec: &xspec.Spec{ID: "gw0"}})
	t.Cleanup(func() {
		require.NoError(t, there.CloseWrite())
		require.NoError(t, gw.Join(within.Soon(t)))
	})
	own, err := gw.NewChannel()
	require.NoError(t, err)
	other, err := gw.NewChannel()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		f    any
		args []any
		want *gatewaybase.Channel
	}{
		"filled in":     {func(ch *gatewaybase.Channel) *gatewaybase.Channel { return ch }, nil, own},
		"given":         {func(ch *gatewaybase.Channel) *gatewaybase.Channel { return ch }, []any{other}, other},
		"with another":  {func(ch, _ *gatewaybase.Channel) *gatewaybase.Channel { return ch }, []any{other}, own},
		"both given":    {func(ch, _ *gatewaybase.Channel) *gatewaybase.Channel { return ch }, []any{other, own}, other},
		"before a text": {func(ch *gatewaybase.Channel, s string) *gatewaybase.Channel { return ch }, []any{other, "x"}, other},
		"left out":      {func(_ context.Context, ch *gatewaybase.Channel, s string) *gatewaybase.Channel { return ch }, []any{"x"}, own},
	} {
		w, err := New("m.f", test.f)
		require.NoError(t, err)
		got, err := w.Call(t.Context(), own, test.args, nil)
		require.NoError(t, err, name)
		assert.Same(t, test.want, got, name)
	}
}

func TestErrorsAndPanics(t *testing.T) {
	reason := errors.New("no such word")
	_, err := call(t, func() (int, error) { return 1, reason })
	assert.Equal(t, reason, err)

	_, err = call(t, func() error { return fmt.Errorf("words.txt: %w", io.EOF) })
	var raised *engine.Raised
	require.ErrorAs(t, err, &raised)
	assert.Equal(t, &engine.Raised{Class: "EOFError", Message: "words.txt: EOF"}, raised)

	_, err = call(t, func(v []int) int { return v[3] }, []any{})
	var p *engine.Panic
	require.ErrorAs(t, err, &p)
	assert.ErrorContains(t, err, "index out of range")
	assert.Contains(t, p.Frames, "gofunc_test.go:")
	assert.NotContains(t, p.Frames, "reflect")
}

func TestWhatCannotBeCalled(t *testing.T) {
	for _, f := range []any{nil, 3, (func())(nil), func(func()) {}, func(chan int) {}, func(int, context.Context) {}} {
		_, err := New("m.f", f)
		assert.ErrorContains(t, err, "m.f", "%T", f)
	}
}

func TestEngineResultsAreNormal(t *testing.T) {
	for _, test := range []struct{ f, want any }{
		{func() int { return 3 }, int64(3)},
		{func() []byte { return []byte("x") }, []byte("x")},
		{func() map[string]int { return map[string]int{"a": 1} }, serializer.NewDict("a", int64(1))},
		{func() (options, error) { return options{Least: 1}, nil }, serializer.NewDict("least", int64(1), "lang", "")},
	} {
		w, err := New("m.f", test.f)
		require.NoError(t, err)
		got, err := w.Engine()(t.Context(), nil, nil, nil)
		require.NoError(t, err)
		assert.Equal(t, test.want, got)
	}
	w, err := New("m.f", func() struct{ F func() } { return struct{ F func() }{} })
	require.NoError(t, err)
	_, err = w.Engine()(t.Context(), nil, nil, nil)
	var dump *serializer.DumpError
	assert.ErrorAs(t, err, &dump)
}
