package serializer_test

import (
	"fmt"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/go-execnet/execnet/serializer"
)

type record struct {
	ID     int      `execnet:"id" msgpack:"id" cbor:"id"`
	Name   string   `execnet:"name" msgpack:"name" cbor:"name"`
	Score  float64  `execnet:"score" msgpack:"score" cbor:"score"`
	Active bool     `execnet:"active" msgpack:"active" cbor:"active"`
	Tags   []string `execnet:"tags" msgpack:"tags" cbor:"tags"`
}

// workloads are the values that the project's benchmark table speaks of.
func workloads() map[string]any {
	ints, floats, strs, records := make([]any, 10000), make([]any, 10000), make([]any, 10000), make([]any, 1000)
	for i := range ints {
		ints[i] = int64(i * 7919)
		floats[i] = float64(i) * 1.1
		strs[i] = fmt.Sprintf("string number %d", i)
	}
	for i := range records {
		records[i] = map[string]any{
			"id": int64(i), "name": fmt.Sprintf("record %d", i), "score": float64(i) / 3, "active": i%2 == 0,
			"tags": []any{"red", "green"},
		}
	}
	return map[string]any{"10k-ints": ints, "10k-floats": floats, "10k-strs": strs, "1k-records": records}
}

// pythonForm is v as loading gives it: a *Dict for each map.
func pythonForm(b *testing.B, v any) any {
	data, err := serializer.Dumps(v)
	require.NoError(b, err)
	out, err := serializer.Loads(data)
	require.NoError(b, err)
	return out
}

func BenchmarkLoads(b *testing.B) {
	for name, v := range workloads() {
		data, err := serializer.Dumps(v)
		require.NoError(b, err)
		b.Run(name+"/execnet", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := serializer.Loads(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		other, err := msgpack.Marshal(v)
		require.NoError(b, err)
		b.Run(name+"/msgpack", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out any
				if err := msgpack.Unmarshal(other, &out); err != nil {
					b.Fatal(err)
				}
			}
		})
		another, err := cbor.Marshal(v)
		require.NoError(b, err)
		b.Run(name+"/cbor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out any
				if err := cbor.Unmarshal(another, &out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDumps(b *testing.B) {
	for name, v := range workloads() {
		own := pythonForm(b, v)
		b.Run(name+"/execnet", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				data, err := serializer.Dumps(own)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(data)))
			}
		})
		b.Run(name+"/msgpack", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := msgpack.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/cbor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cbor.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTyped(b *testing.B) {
	data, err := serializer.Dumps(workloads()["1k-records"])
	require.NoError(b, err)
	var records []record
	require.NoError(b, serializer.Unmarshal(data, &records))
	b.Run("loads/execnet", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out []record
			if err := serializer.Unmarshal(data, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dumps/execnet", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := serializer.Marshal(records); err != nil {
				b.Fatal(err)
			}
		}
	})
	other, err := msgpack.Marshal(records)
	require.NoError(b, err)
	b.Run("loads/msgpack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out []record
			if err := msgpack.Unmarshal(other, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	another, err := cbor.Marshal(records)
	require.NoError(b, err)
	b.Run("loads/cbor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out []record
			if err := cbor.Unmarshal(another, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
