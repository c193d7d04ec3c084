package gpy

import (
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// whyYield is vm.whyYield.
const whyYield = 5

// yieldFrom gives "yield from" the value that its iterator ends with, for which gpython gives the iterator.
func yieldFrom() {
	jumpTable[vm.YIELD_FROM] = func(v *vm.Vm, _ int32) error {
		sent, it := v.POP(), v.TOP()
		item, err := resume(it, sent)
		if py.IsException(py.StopIteration, err) {
			v.SET_TOP(stopValue(err))
			return nil
		}
		if err != nil {
			return err
		}
		m := machineOf(v)
		m.frame.Lasti-- // this again, when the generator goes on
		m.frame.Yielded = true
		m.retval, m.why = item, whyYield
		return nil
	}
}

// resume is what "yield from" does to its iterator with what is sent to the generator.
func resume(it, sent py.Object) (py.Object, error) {
	if sent == py.None {
		return py.Next(it)
	}
	return callMethod(it, "send", sent)
}

func callMethod(o py.Object, name string, args ...py.Object) (py.Object, error) {
	method, err := py.GetAttrString(o, name)
	if err != nil {
		return nil, err
	}
	return py.Call(method, args, nil)
}

// stopValue is the value of a StopIteration.
func stopValue(err error) py.Object {
	if args, _ := asException(err).Args.(py.Tuple); len(args) > 0 {
		return args[0]
	}
	return py.None
}

// generatorEnd makes what running a generator's frame gave what the generator gives: gpython drops the value that it returns,
// goes on behind what has raised, and lets StopIteration pass for the end.
func generatorEnd(frame *py.Frame, res py.Object, err error) (py.Object, error) {
	switch {
	case err == nil && !frame.Yielded && res != py.None:
		return nil, newException(py.StopIteration, res)
	case err == nil:
		return res, nil
	}
	frame.Yielded = false
	if !py.IsException(py.StopIteration, err) {
		return nil, err
	}
	info := exceptionInfo(err)
	stop := info.Value.(*py.Exception)
	stop.Traceback = info.Traceback
	e := newException(py.RuntimeError, py.String("generator raised StopIteration"))
	e.Cause, e.Context, e.SuppressContext = stop, stop, true
	return nil, e
}
