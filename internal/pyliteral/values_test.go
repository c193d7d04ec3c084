package pyliteral_test

import (
	"math"
	"math/big"

	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/serializer"
)

var floats = rapid.OneOf(rapid.Float64(), rapid.Custom(func(t *rapid.T) float64 { return math.Float64frombits(rapid.Uint64().Draw(t, "bits")) }),
	rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, 1e15, 1e16, 9999999999999998, 1e-4, 9.9e-5, 1e22, 1.5e300, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()}))

// characters are printed alike by every Unicode version since Python 3.6's.
var characters = rapid.OneOf(rapid.RuneFrom([]rune("ab'\"\\\n\r\t\x00\x1b\x7f {}#é\u00ad\u0300\u200b\u2028\u3042\ufeff\ufffd\uffff\ue000\U0001F600\U000E0001\U0010ffff")),
	rapid.Custom(func(t *rapid.T) rune { return rapid.Int32Range(0, 0x24f).Draw(t, "rune") }))

var scalars = rapid.OneOf(
	rapid.Just[any](nil),
	rapid.Bool().AsAny(),
	rapid.Int64().AsAny(),
	rapid.Custom(func(t *rapid.T) any {
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 9, 60).Draw(t, "magnitude"))
		if n.IsInt64() {
			return n.Int64()
		}
		if rapid.Bool().Draw(t, "negative") {
			n.Neg(n)
		}
		return n
	}),
	floats.AsAny(),
	rapid.Custom(func(t *rapid.T) any { return complex(floats.Draw(t, "re"), floats.Draw(t, "im")) }),
	rapid.StringOf(characters).AsAny(),
	rapid.SliceOf(rapid.Byte()).AsAny(),
)

// keys are hashable and equal to themselves.
var keys = rapid.Custom(func(t *rapid.T) any {
	key := scalars.Filter(func(v any) bool {
		switch x := v.(type) {
		case float64:
			return !math.IsNaN(x)
		case complex128:
			return !math.IsNaN(real(x)) && !math.IsNaN(imag(x))
		}
		return true
	})
	items := rapid.SliceOfN(key, 0, 3)
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return serializer.Tuple(items.Draw(t, "tuple"))
	case 1:
		return serializer.NewFrozenSet(items.Draw(t, "frozenset")...)
	}
	return key.Draw(t, "key")
})

func values(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalars
	}
	return rapid.Custom(func(t *rapid.T) any {
		items := rapid.SliceOfN(values(depth-1), 0, 4)
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0, 1:
			return append([]any{}, items.Draw(t, "list")...)
		case 2:
			return append(serializer.Tuple{}, items.Draw(t, "tuple")...)
		case 3, 4:
			d := serializer.NewDict()
			for _, value := range items.Draw(t, "dict") {
				_ = d.Set(keys.Draw(t, "key"), value)
			}
			return d
		case 5:
			return serializer.NewSet(rapid.SliceOfN(keys, 0, 4).Draw(t, "set")...)
		case 6:
			return serializer.NewFrozenSet(rapid.SliceOfN(keys, 0, 4).Draw(t, "frozenset")...)
		}
		return scalars.Draw(t, "scalar")
	})
}
