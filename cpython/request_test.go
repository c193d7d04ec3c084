package cpython

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// requested is the payload of a call.
func requested(t *testing.T, name any, channel int, args []any, kwargs *serializer.Dict) []byte {
	t.Helper()
	payload, err := (&serializer.Codec{}).Append(nil, serializer.Tuple{name, channel, serializer.Tuple(args), kwargs})
	require.NoError(t, err)
	return payload
}

func callOf(payload []byte) *call {
	c := &calls{byName: functionsByName(engine.Functions{"texts": {"same": {}}})}
	return &call{begun: frame{payload: payload}, function: c.function(payload)}
}

// What loadPlain loads is what the serializer would have loaded.
func TestPlainCalls(t *testing.T) {
	kwargs := new(serializer.Dict)
	kwargs.Set("key", int64(1))
	large := bytes.Repeat([]byte{'J'}, 1<<20)
	for name, c := range map[string]struct {
		plain   bool
		payload []byte
	}{
		"no arguments":       {true, requested(t, "texts.same", 0, nil, new(serializer.Dict))},
		"a channel":          {true, requested(t, "texts.same", 1<<30+2, []any{int64(1)}, new(serializer.Dict))},
		"simple values":      {true, requested(t, "texts.same", 0, []any{int64(-1), "\u20ac", "", []byte("@"), []byte{}}, new(serializer.Dict))},
		"what looks like it": {true, requested(t, "texts.same", 0, []any{[]byte(end), end}, new(serializer.Dict))},
		"large":              {true, requested(t, "texts.same", 0, []any{large, int64(1)}, new(serializer.Dict))},
		"other values":       {false, requested(t, "texts.same", 0, []any{int64(1), 2.5, nil, true}, new(serializer.Dict))},
		"a list":             {false, requested(t, "texts.same", 0, []any{[]any{int64(1)}}, new(serializer.Dict))},
		"a tuple":            {false, requested(t, "texts.same", 0, []any{serializer.Tuple{int64(1), "x"}}, new(serializer.Dict))},
		"keywords":           {false, requested(t, "texts.same", 0, []any{int64(1)}, kwargs)},
		"another function":   {false, requested(t, "texts.other", 0, []any{int64(1)}, new(serializer.Dict))},
	} {
		t.Run(name, func(t *testing.T) {
			k := callOf(c.payload)
			_, plain := k.loadPlain()
			assert.Equal(t, c.plain, plain)
			got, err := k.load()
			require.NoError(t, err)
			k.function = nil // then it is not tried
			want, err := k.load()
			require.NoError(t, err)
			assert.Equal(t, want.name, "texts."+map[bool]string{true: "other", false: "same"}[name == "another function"])
			assert.Equal(t, want.channel, got.channel)
			assert.Equal(t, len(want.args), len(got.args))
			for i := range want.args {
				assert.Equal(t, want.args[i], got.args[i])
			}
			assert.Equal(t, want.kwargs.Len(), lenOf(got.kwargs))
		})
	}
}

func lenOf(kwargs *serializer.Dict) int {
	if kwargs == nil {
		return 0
	}
	return kwargs.Len()
}

// A payload that is damaged anywhere is refused or loads as the serializer would load it.
func TestDamagedPlainCalls(t *testing.T) {
	whole := requested(t, "texts.same", 0, []any{int64(7), "text", []byte("bytes")}, new(serializer.Dict))
	same := func(payload []byte) {
		k := callOf(payload)
		got, plain := k.loadPlain()
		if !plain {
			return
		}
		k.function = nil
		want, err := k.load()
		if assert.NoError(t, err, "%q", payload) {
			assert.Equal(t, want.channel, got.channel)
			assert.Equal(t, want.args, got.args)
		}
	}
	for i := range whole {
		same(whole[:i])
		for b := range 256 {
			damaged := bytes.Clone(whole)
			damaged[i] = byte(b)
			same(damaged)
		}
	}
}
