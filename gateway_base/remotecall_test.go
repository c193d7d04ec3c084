package gatewaybase

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func TestRemoteCall(t *testing.T) {
	driver, _, _ := pair(t)
	result, err := driver.RemoteCall(within.Soon(t), "text.stats.count", "words", 3, Kwargs{"fast": true})
	require.NoError(t, err)
	assert.Equal(t, serializer.Tuple{"text.stats.count", serializer.Tuple{"words", int64(3)}, serializer.NewDict("fast", true)}, result)

	short, err := RemoteCall[struct{ Function string }](within.Soon(t), driver, "short")
	assert.ErrorContains(t, err, "tuple", "the runner's answer does not fit %v", short)

	for _, name := range []string{"", "a b", "a.", ".a", "a..b", "a(); import os", "1a"} {
		_, err := driver.RemoteCall(within.Soon(t), name)
		var bad *SourceError
		assert.ErrorAs(t, err, &bad, name)
	}
}

// TestArgumentThatCannotBeSent has errors that name the argument, whatever the request looks like.
func TestArgumentThatCannotBeSent(t *testing.T) {
	driver, _, _ := pair(t)
	for range 2 { // the first time it is not known yet that the far end serves no calls
		for path, args := range map[string][]any{
			"args[1][0]":     {1, []any{make(chan int)}},
			`kwargs["size"]`: {1, Kwargs{"size": make(chan int)}},
		} {
			_, err := driver.RemoteCall(within.Soon(t), "module.function", args...)
			var dump *serializer.DumpError
			require.ErrorAs(t, err, &dump)
			assert.Equal(t, path, dump.Path)
		}
		_, err := driver.RemoteCall(within.Soon(t), "module.function")
		require.NoError(t, err)
	}
}

func TestOnlyRemoteCallIsOne(t *testing.T) {
	whole := Program{Source: remoteCallSource, File: remoteCallFile, Call: remoteCallName,
		Kwargs: serializer.NewDict("function", "a.b", "args", serializer.Tuple{}, "kwargs", serializer.NewDict())}
	_, _, _, ok := whole.RemoteCall()
	assert.True(t, ok)
	for name, spoil := range map[string]func(p *Program){
		"source": func(p *Program) { p.Source += "\n" },
		"file":   func(p *Program) { p.File = "" },
		"call":   func(p *Program) { p.Call = "" },
		"function": func(p *Program) {
			p.Kwargs = serializer.NewDict("function", nil, "args", serializer.Tuple{}, "kwargs", serializer.NewDict())
		},
		"kwargs": func(p *Program) { p.Kwargs = serializer.NewDict("function", "a", "args", serializer.Tuple{}) },
	} {
		spoiled := whole
		spoil(&spoiled)
		_, _, _, ok := spoiled.RemoteCall()
		assert.False(t, ok, name)
	}
}

func TestErrorOfACallThatIsGivenUp(t *testing.T) {
	gw, far := raw(t)
	ctx, cancel := context.WithCancel(within.Soon(t))
	result := make(chan error, 1)
	go func() {
		_, err := RemoteCall[int](ctx, gw, "module.function")
		result <- err
	}()
	require.Equal(t, codeExec, readFrame(t, far).code)
	require.Equal(t, codeData, readFrame(t, far).code)
	cancel()
	assert.EqualError(t, <-result, "execnet: calling: context canceled")
}
