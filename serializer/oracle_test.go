package serializer_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/serializer"
)

// oracle is a Python process that judges values with pip's execnet; testdata/oracle.py says how it
// is spoken to.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func startOracle(t *testing.T) *oracle {
	cmd := exec.Command(pythons.WithExecnet(t), "testdata/oracle.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		require.NoError(t, cmd.Wait())
	})
	return &oracle{in, bufio.NewReader(out)}
}

func (o *oracle) ask(t require.TestingT, command string, fields ...[]byte) [][]byte {
	body := frame(nil, []byte(command))
	for _, field := range fields {
		body = frame(body, field)
	}
	_, err := o.in.Write(frame(nil, body))
	require.NoError(t, err)
	head := make([]byte, 4)
	_, err = io.ReadFull(o.out, head)
	require.NoError(t, err)
	answer := make([]byte, binary.BigEndian.Uint32(head))
	_, err = io.ReadFull(o.out, answer)
	require.NoError(t, err)
	var parts [][]byte
	for len(answer) > 0 {
		n := 4 + binary.BigEndian.Uint32(answer)
		parts = append(parts, answer[4:n])
		answer = answer[n:]
	}
	return parts
}

func frame(dst, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(data))), data...)
}

// canonical describes a value as oracle.py does: the texts of two values are equal exactly when
// they and all their types are equal in Python.
func canonical(v any) string {
	switch x := v.(type) {
	case nil:
		return "none"
	case bool:
		if x {
			return "bool 1"
		}
		return "bool 0"
	case int64:
		return "int " + strconv.FormatInt(x, 10)
	case *big.Int:
		return "int " + x.String()
	case float64:
		return fmt.Sprintf("float %016x", math.Float64bits(x))
	case complex128:
		return fmt.Sprintf("complex %016x%016x", math.Float64bits(real(x)), math.Float64bits(imag(x)))
	case string:
		return fmt.Sprintf("str %x", x)
	case []byte:
		return fmt.Sprintf("bytes %x", x)
	case []any:
		return "list " + canonicalItems(x, false)
	case serializer.Tuple:
		return "tuple " + canonicalItems(x, false)
	case *serializer.Set:
		return "set " + canonicalItems(slices.Collect(x.All()), true)
	case serializer.FrozenSet:
		return "frozenset " + canonicalItems(slices.Collect(x.All()), true)
	case *serializer.Dict:
		var pairs []string
		for key, value := range x.All() {
			pairs = append(pairs, canonical(key)+": "+canonical(value))
		}
		return "dict [" + strings.Join(pairs, ", ") + "]"
	}
	panic(fmt.Sprintf("loading never makes a %T", v))
}

func canonicalItems(items []any, sorted bool) string {
	var texts []string
	for _, item := range items {
		texts = append(texts, canonical(item))
	}
	if sorted {
		slices.Sort(texts)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// anyValue generates values in the form that loading gives them.
func anyValue(depth int, hashable bool) *rapid.Generator[any] {

	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64Range(-3, 3).AsAny(),
		rapid.Int64().AsAny(),
		rapid.SampledFrom([]any{int64(math.MaxInt32), int64(math.MaxInt32 + 1), int64(math.MinInt32), int64(math.MinInt32 - 1),
			int64(math.MaxInt64), int64(math.MinInt64), new(big.Int).Lsh(big.NewInt(1), 63), new(big.Int).Lsh(big.NewInt(-3), 200)}),
		rapid.Float64().AsAny(),
		rapid.SampledFrom([]any{0.0, math.Copysign(0, -1), 1.0, 2.0, math.Inf(1), math.Inf(-1), 0x1p63, 0x1p100, math.NaN()}),
		rapid.Map(rapid.SliceOfN(rapid.Float64Range(-2, 2), 2, 2), func(f []float64) any { return complex(f[0], f[1]) }),
		rapid.SampledFrom([]any{complex(1, 0), complex(0, 1), complex(math.Inf(1), 0)}),
		rapid.String().AsAny(),
		rapid.SliceOfN(rapid.Byte(), 0, 10).AsAny(),
		rapid.SampledFrom([]any{"1", []byte("1"), serializer.Tuple{}, serializer.NewFrozenSet()}),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	items := func(of bool) *rapid.Generator[[]any] { return rapid.SliceOfN(anyValue(depth-1, of), 0, 12) }
	all := append(leaves,
		rapid.Map(items(hashable), func(items []any) any { return serializer.Tuple(items) }),
		rapid.Map(items(true), func(items []any) any { return serializer.NewFrozenSet(items...) }),
	)
	if !hashable {
		all = append(all,
			rapid.Map(items(false), func(items []any) any { return items }),
			rapid.Map(items(true), func(items []any) any { return serializer.NewSet(items...) }),
			rapid.Custom(func(t *rapid.T) any {
				d := serializer.NewDict()
				for _, key := range items(true).Draw(t, "keys") {
					if err := d.Set(key, anyValue(depth-1, false).Draw(t, "value")); err != nil {
						t.Fatal(err)
					}
				}
				return d
			}),
		)
	}
	return rapid.OneOf(all...)
}

// reordered says whether Python may dump v's sets in another order.
func reordered(v any) bool { return strings.Contains(canonical(v), "set [") }

func TestPythonReceivesWhatGoSends(t *testing.T) {
	o := startOracle(t)
	gen := rapid.SliceOfN(anyValue(3, false), 1, 40)
	count := 0
	rapid.Check(t, func(t *rapid.T) {
		values := gen.Draw(t, "values")
		dumps := make([][]byte, len(values))
		for i, v := range values {
			var err error
			dumps[i], err = serializer.Dumps(v)
			require.NoError(t, err)
		}
		answer := o.ask(t, "load", dumps...)
		require.Len(t, answer, 2*len(values))
		for i, v := range values {
			want, again := canonical(v), answer[2*i+1]
			require.Equal(t, want, string(answer[2*i]), "%v", serializer.Repr(v))
			own, err := serializer.Loads(dumps[i])
			require.NoError(t, err)
			require.Equal(t, want, canonical(own))
			if len(again) == 0 { // an int below -2^31, which Python's own dumper fails on
				require.Contains(t, want, "int -")
				continue
			}
			back, err := serializer.Loads(again)
			require.NoError(t, err)
			require.Equal(t, want, canonical(back))
			if !reordered(v) {
				require.Equal(t, dumps[i], again)
			}
			count++
		}
	})
	t.Logf("%d values went to Python and back", count)
}

func TestGoReceivesWhatPythonSends(t *testing.T) {
	o := startOracle(t)
	rapid.Check(t, func(t *rapid.T) {
		seed := strconv.Itoa(rapid.IntRange(0, 1<<30).Draw(t, "seed"))
		answer := o.ask(t, "make", []byte(seed), []byte("40"))
		require.Len(t, answer, 80)
		for i := 0; i < len(answer); i += 2 {
			v, err := serializer.Loads(answer[i])
			require.NoError(t, err)
			require.Equal(t, string(answer[i+1]), canonical(v))
			again, err := serializer.Dumps(v)
			require.NoError(t, err)
			require.Equal(t, answer[i], again)
		}
	})
}

func TestReprIsPythons(t *testing.T) {
	o := startOracle(t)
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(2, false).Draw(t, "value")
		if strings.Contains(canonical(v), "set [") || strings.Contains(canonical(v), "str ") {
			v = anyValue(0, false).Filter(func(v any) bool { _, isText := v.(string); return !isText }).Draw(t, "leaf")
		}
		data, err := serializer.Dumps(v)
		require.NoError(t, err)
		require.Equal(t, string(o.ask(t, "repr", data)[0]), serializer.Repr(v))
	})
	for _, text := range []string{"", "it's", `say "it's"`, "a\nb\t\r\x00\x7f\\", `"`, "plain"} {
		data, err := serializer.Dumps(text)
		require.NoError(t, err)
		require.Equal(t, string(o.ask(t, "repr", data)[0]), serializer.Repr(text))
	}
}
