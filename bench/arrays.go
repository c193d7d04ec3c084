package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/process"
)

// The array has rows and columns, of numbers that JSON needs all digits for.
const (
	arrayRows    = 1000
	arrayColumns = 1000
)

//go:embed arrays.py
var arraysSource string

// arrays are the far ends that take and give an array. All have imported numpy.
type arrays struct {
	ch    *execnet.Channel // to arrays.py, in a worker
	calls *execnet.Gateway // another worker, which has the functions of arrays.py in its module
	plain *process.Process // arrays.py with JSON
	slice [][]float64
}

// arrayRows compares the ways of an array to numpy and back.
func (b *bench) arrayRows() []measurement {
	const slices, arrayOf, bytes, inJSON = "slices", "ArrayOf", "bytes", "JSON"
	way := func(name string, run func(*arrays, context.Context) error) side {
		return once(name, func(ctx context.Context) (time.Duration, error) {
			a, err := b.withArrays(ctx)
			if err != nil {
				return 0, err
			}
			start := time.Now()
			err = run(a, ctx)
			return time.Since(start), err
		})
	}
	goals := []goal{{slices, inJSON, speed, 0}, {arrayOf, inJSON, speed, 0}, {bytes, inJSON, speed, 0}}
	return []measurement{
		comparison{name: "a million float64, Go to numpy", figure: asTime, once: true, share: 3, goals: goals, sides: []side{
			way(slices, (*arrays).sendSlices), way(arrayOf, (*arrays).sendArray), way(bytes, (*arrays).sendBytes), way(inJSON, (*arrays).sendJSON),
		}},
		comparison{name: "a million float64, numpy to Go", figure: asTime, once: true, share: 3, goals: goals, sides: []side{
			way(slices, (*arrays).takeSlices), way(arrayOf, (*arrays).takeArray), way(bytes, (*arrays).takeBytes), way(inJSON, (*arrays).takeJSON),
		}},
	}
}

// withArrays starts what is measured, once.
func (b *bench) withArrays(ctx context.Context) (_ *arrays, err error) {
	if b.arrays != nil {
		return b.arrays, nil
	}
	a := &arrays{slice: make([][]float64, arrayRows)}
	for i := range a.slice {
		a.slice[i] = make([]float64, arrayColumns)
		for j := range a.slice[i] {
			a.slice[i][j] = float64(i*arrayColumns+j) / 7
		}
	}
	gw, err := b.group.MakeGateway(ctx, b.pip.python.spec())
	if err != nil {
		return nil, err
	}
	if a.ch, err = gw.RemoteExec(ctx, arraysSource+"serve(channel)\n"); err != nil {
		return nil, err
	}
	if a.calls, err = b.group.MakeGateway(ctx, b.pip.python.spec()); err != nil {
		return nil, err
	}
	ch, err := a.calls.RemoteExec(ctx, arraysSource+"become_module(globals())\n")
	if err != nil {
		return nil, err
	}
	if err := ch.WaitClose(ctx); err != nil {
		return nil, err
	}
	if a.plain, err = process.Start([]string{b.pip.python.path, "-c", arraysSource + "serve_json()\n"}, nil, os.Stderr); err != nil {
		return nil, err
	}
	b.arrays = a
	return a, nil
}

// check fails if it is not the sum of the numbers, which every far end answers.
func (a *arrays) check(sum float64, err error) error {
	const n = arrayRows * arrayColumns
	if want := float64(n) * (n - 1) / 2 / 7; err == nil && (sum < want*0.999999 || sum > want*1.000001) {
		return fmt.Errorf("the numbers add up to %v instead of %v", sum, want)
	}
	return err
}

// checkSlice fails if these are not the numbers.
func (a *arrays) checkSlice(got [][]float64, err error) error {
	if err == nil && (len(got) != arrayRows || len(got[arrayRows-1]) != arrayColumns || got[arrayRows-1][1] != a.slice[arrayRows-1][1]) {
		return fmt.Errorf("%d rows have come", len(got))
	}
	return err
}

func (a *arrays) sendSlices(ctx context.Context) error {
	if err := a.ch.Send(ctx, execnet.Tuple{"list", a.slice}); err != nil {
		return err
	}
	return a.check(execnet.Receive[float64](ctx, a.ch))
}

func (a *arrays) takeSlices(ctx context.Context) error {
	if err := a.ch.Send(ctx, execnet.Tuple{"give list", nil}); err != nil {
		return err
	}
	return a.checkSlice(execnet.Receive[[][]float64](ctx, a.ch))
}

func (a *arrays) sendArray(ctx context.Context) error {
	array, err := execnet.ArrayOf(a.slice)
	if err != nil {
		return err
	}
	return a.check(execnet.RemoteCall[float64](ctx, a.calls, "arrays.total", array))
}

func (a *arrays) takeArray(ctx context.Context) error {
	array, err := execnet.RemoteCall[execnet.NDArray](ctx, a.calls, "arrays.give")
	if err != nil {
		return err
	}
	var got [][]float64
	err = array.Into(&got)
	return a.checkSlice(got, err)
}

// sendBytes sends the numbers as they are in the memory of one slice.
func (a *arrays) sendBytes(ctx context.Context) error {
	array, err := execnet.ArrayOf(a.slice)
	if err != nil {
		return err
	}
	if err := a.ch.Send(ctx, execnet.Tuple{"bytes", array.Data}); err != nil {
		return err
	}
	return a.check(execnet.Receive[float64](ctx, a.ch))
}

func (a *arrays) takeBytes(ctx context.Context) error {
	if err := a.ch.Send(ctx, execnet.Tuple{"give bytes", nil}); err != nil {
		return err
	}
	data, err := execnet.Receive[[]byte](ctx, a.ch)
	if err != nil {
		return err
	}
	array := execnet.NDArray{DType: "<f8", Shape: []int{arrayRows, arrayColumns}, Data: data}
	var got [][]float64
	err = array.Into(&got)
	return a.checkSlice(got, err)
}

func (a *arrays) sendJSON(context.Context) error {
	var sum float64
	err := a.exchange(a.slice, &sum)
	return a.check(sum, err)
}

func (a *arrays) takeJSON(context.Context) error {
	var got [][]float64
	err := a.exchange(nil, &got)
	return a.checkSlice(got, err)
}

// exchange sends a value as JSON, and loads the answer.
func (a *arrays) exchange(v, answer any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := a.plain.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(a.plain, size[:]); err != nil {
		return err
	}
	reply := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(a.plain, reply); err != nil {
		return err
	}
	return json.Unmarshal(reply, answer)
}
