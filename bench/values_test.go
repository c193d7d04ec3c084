package main

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/go-execnet/execnet/serializer"
)

// These measure what the table compares, one by one and with allocations, for work on the
// serializer: go test -bench Loads

func benchmark(b *testing.B, name string, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLoads(b *testing.B) {
	all, err := workloads()
	require.NoError(b, err)
	for _, w := range all {
		benchmark(b, w.name+"/execnet", func() error { _, err := serializer.Loads(w.execnet); return err })
		benchmark(b, w.name+"/msgpack", func() error { var v any; return msgpack.Unmarshal(w.msgpack, &v) })
		benchmark(b, w.name+"/cbor", func() error { var v any; return cbor.Unmarshal(w.cbor, &v) })
	}
}

func BenchmarkDumps(b *testing.B) {
	all, err := workloads()
	require.NoError(b, err)
	for _, w := range all {
		var own any // of Go's types, which the other formats know
		require.NoError(b, cbor.Unmarshal(w.cbor, &own))
		benchmark(b, w.name+"/execnet", func() error { _, err := serializer.Dumps(w.value); return err })
		benchmark(b, w.name+"/msgpack", func() error { _, err := msgpack.Marshal(own); return err })
		benchmark(b, w.name+"/cbor", func() error { _, err := cbor.Marshal(own); return err })
	}
}

func BenchmarkTyped(b *testing.B) {
	all, err := workloads()
	require.NoError(b, err)
	for _, w := range all {
		if w.name != recordsName {
			continue
		}
		var records []record
		require.NoError(b, serializer.Unmarshal(w.execnet, &records))
		benchmark(b, "loads/execnet", func() error { var v []record; return serializer.Unmarshal(w.execnet, &v) })
		benchmark(b, "loads/msgpack", func() error { var v []record; return msgpack.Unmarshal(w.msgpack, &v) })
		benchmark(b, "loads/cbor", func() error { var v []record; return cbor.Unmarshal(w.cbor, &v) })
		benchmark(b, "dumps/execnet", func() error { _, err := serializer.Marshal(records); return err })
	}
}
