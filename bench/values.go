package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/go-execnet/execnet/serializer"
)

// record is an element of the value "1k records".
type record struct {
	ID     int      `execnet:"id" msgpack:"id" cbor:"id"`
	Name   string   `execnet:"name" msgpack:"name" cbor:"name"`
	Score  float64  `execnet:"score" msgpack:"score" cbor:"score"`
	Active bool     `execnet:"active" msgpack:"active" cbor:"active"`
	Tags   []string `execnet:"tags" msgpack:"tags" cbor:"tags"`
}

const (
	recordCount = 1000
	recordsName = "1k records"
)

// workload is a value that is dumped and loaded.
type workload struct {
	name                   string
	value                  any // as Loads returns it: a *Dict where Python has a dict
	execnet, msgpack, cbor []byte
}

func workloads() ([]workload, error) {
	ints, floats, strs, records := make([]any, 10000), make([]any, 10000), make([]any, 10000), make([]any, recordCount)
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
	all := []workload{{name: "10k ints", value: ints}, {name: recordsName, value: records}, {name: "10k floats", value: floats}, {name: "10k strs", value: strs}}
	for i := range all {
		if err := all[i].encode(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// encode dumps a value of Go's own types in each of the formats.
func (w *workload) encode() (err error) {
	if w.execnet, err = serializer.Dumps(w.value); err != nil {
		return err
	}
	if w.msgpack, err = msgpack.Marshal(w.value); err != nil {
		return err
	}
	if w.cbor, err = cbor.Marshal(w.value); err != nil {
		return err
	}
	w.value, err = serializer.Loads(w.execnet)
	return err
}

// repeat is a side that runs f in this process.
func repeat(name string, f func() error) side {
	return side{name, func(_ context.Context, n int) (time.Duration, error) {
		start := time.Now()
		for range n {
			if err := f(); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}}
}

// values compares dumps and loads with Python's execnet, and loads with other formats.
func (b *bench) values() []measurement {
	var comparisons []measurement
	for _, w := range b.workloads {
		comparisons = append(comparisons, comparison{
			name:   "dumps " + w.name,
			figure: asTime,
			sides: []side{
				repeat("ours", func() error { _, err := serializer.Dumps(w.value); return err }),
				b.pip.side("dumps", w.execnet),
			},
			goals: []goal{{"ours", "execnet", speed, 40}},
		}, comparison{
			name:   "loads " + w.name,
			figure: asTime,
			sides: []side{
				repeat("ours", func() error { _, err := serializer.Loads(w.execnet); return err }),
				b.pip.side("loads", w.execnet),
				repeat("msgpack", func() error { var v any; return msgpack.Unmarshal(w.msgpack, &v) }),
				repeat("cbor", func() error { var v any; return cbor.Unmarshal(w.cbor, &v) }),
			},
			goals: []goal{{"ours", "execnet", speed, 40}, {"ours", "msgpack", speed, 1}, {"ours", "cbor", speed, 1}},
		})
		if w.name == recordsName {
			comparisons = append(comparisons, typed(w)...)
		}
	}
	return comparisons
}

// typed compares loading into Go structs with loading to any.
func typed(w workload) []measurement {
	structs := func() error { var v []record; return serializer.Unmarshal(w.execnet, &v) }
	return []measurement{comparison{
		name:   "loads " + w.name + " into structs",
		figure: asTime,
		sides: []side{
			repeat("ours", structs),
			repeat("ours to any", func() error { _, err := serializer.Loads(w.execnet); return err }),
			repeat("msgpack", func() error { var v []record; return msgpack.Unmarshal(w.msgpack, &v) }),
			repeat("cbor", func() error { var v []record; return cbor.Unmarshal(w.cbor, &v) }),
		},
		goals: []goal{{"ours", "ours to any", speed, 1}, {"ours", "msgpack", speed, 0}, {"ours", "cbor", speed, 0}},
	}, count{
		name: "allocations a record, into structs",
		of: func() (n float64, err error) {
			n = testing.AllocsPerRun(10, func() { err = errors.Join(err, structs()) })
			return n / recordCount, err
		},
		below: 3,
	}}
}
