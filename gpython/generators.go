package gpython

// Generators. gpython v0.2.0 drops the value that a generator returns, so that "yield from" gives
// the iterator instead, resumes a generator behind the place where it raised, and raises
// NotImplementedError for throw and close. In CPython "yield from" has the returned value, an
// exception ends the generator, and throw and close raise where it waits.

import (
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// yieldFrom gives "yield from" the value that its iterator ends with. gpython gives the iterator.
func yieldFrom(v *vm.Vm, _ int32) error {
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
	m.suspend()
	return nil
}

// yieldValue is yield.
func yieldValue(v *vm.Vm, arg int32) error {
	err := original[vm.YIELD_VALUE](v, arg)
	machineOf(v).suspend()
	return err
}

// endFinally is the end of a finally clause. If the generator has yielded in it, and a return waits
// for its end, gpython takes the returned value for another that was yielded.
func endFinally(v *vm.Vm, arg int32) error {
	err := original[vm.END_FINALLY](v, arg)
	if m := machineOf(v); m.why == whyReturn {
		m.frame.Yielded = false
	}
	return err
}

// suspended is on top of the stack of a generator that waits in an except clause: gpython forgets
// which exception that handles.
type suspended struct{ handled py.ExceptionInfo }

var suspendedType = newType(py.ObjectType, "suspended", "")

func (s *suspended) Type() *py.Type { return suspendedType }

// suspend notes the exception that a generator handles while it waits.
func (m *machine) suspend() {
	if m.exc.Type != nil {
		m.frame.Stack = append(m.frame.Stack, &suspended{m.exc})
	}
}

// takeSuspended removes what suspend has left on the stack, below a number of other objects.
func takeSuspended(f *py.Frame, above int) (handled py.ExceptionInfo) {
	at := len(f.Stack) - 1 - above
	if at < 0 {
		return handled
	}
	if s, ok := f.Stack[at].(*suspended); ok {
		handled = s.handled
		f.Stack = append(f.Stack[:at], f.Stack[at+1:]...)
	}
	return handled
}

// prepare makes a generator that waits go on with what is handled again.
func prepare(f *py.Frame) {
	if !f.Yielded {
		return
	}
	if handled := takeSuspended(f, 1); handled.Type != nil {
		f.Stack = append(f.Stack, resumptionOf(f, nil, handled))
	}
}

// resume gives the iterator of a "yield from" what was sent to the generator.
func resume(it, sent py.Object) (py.Object, error) {
	if sent == py.None {
		return py.Next(it)
	}
	return callMethod(it, "send", sent)
}

func callMethod(o py.Object, name string, args ...py.Object) (py.Object, error) {
	method, err := pyvalue.GetAttr(o, name)
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

// generatorEnd corrects the outcome of running a generator's frame, where gpython does three things
// wrong: it drops the value that a generator returns, resumes a generator behind the place where it
// has raised an exception, and takes a StopIteration that the generator's code raised for its end.
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

// resumption is on top of the stack of a generator that goes on, for the instruction throwHere.
type resumption struct {
	thrown  *py.Exception    // to be raised where the generator waits, or nil
	handled py.ExceptionInfo // what the generator handles there
	code    *py.Code         // of the generator
	at      int32            // where it waits
}

var resumptionType = newType(py.ObjectType, "resumption", "")

func (t *resumption) Type() *py.Type { return resumptionType }

// resumptionOf makes the generator go on with the instruction throwHere, which takes the result
// from the stack.
func resumptionOf(f *py.Frame, thrown *py.Exception, handled py.ExceptionInfo) *resumption {
	t := &resumption{thrown, handled, f.Code, f.Lasti}
	// The opcode stands behind the generator's own, and puts them back.
	code := *f.Code
	code.Code += string([]byte{throwHere})
	f.Code, f.Lasti = &code, int32(len(t.code.Code))
	return t
}

// throwInGenerator is the instruction throwHere.
func throwInGenerator(v *vm.Vm, _ int32) error {
	t := v.POP().(*resumption)
	m := machineOf(v)
	m.frame.Code, m.frame.Lasti, m.exc = t.code, t.at, t.handled
	if t.thrown == nil {
		return nil
	}
	return m.raise(t.thrown)
}

// init gives generators throw and close, which gpython has only by name.
func init() {
	py.GeneratorType.Dict["throw"] = py.MustNewMethod("throw", func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("throw", args, kwargs, 1, "type", "value", "traceback")
		if err != nil {
			return nil, err
		}
		exception := a[0]
		if class, ok := exception.(*py.Type); ok && a[1] != nil && a[1] != py.None {
			if exception = a[1]; !exception.Type().IsSubtype(class) {
				if exception, err = py.Call(class, py.Tuple{a[1]}, nil); err != nil {
					return nil, err
				}
			}
		}
		e, err := instantiate(exception, "exceptions must be classes or instances deriving from BaseException, not "+a[0].Type().Name)
		if err != nil {
			return nil, err
		}
		return throwInto(self.(*py.Generator), e)
	}, 0, "")
	py.GeneratorType.Dict["close"] = py.MustNewMethod("close", func(self py.Object) (py.Object, error) {
		return py.None, closeGenerator(self.(*py.Generator))
	}, 0, "")
}

// throwInto raises an exception where the generator waits. If that is a "yield from", its iterator
// gets the exception first.
func throwInto(g *py.Generator, e *py.Exception) (py.Object, error) {
	f := g.Frame
	if g.Running {
		return nil, py.ExceptionNewf(py.ValueError, "generator already executing")
	}
	handled := takeSuspended(f, 0)
	switch {
	case !f.Yielded: // it has not begun, or has ended
		f.Lasti = int32(len(f.Code.Code))
		return nil, e
	case vm.OpCode(f.Code.Code[f.Lasti]) == vm.YIELD_FROM:
		inner := f.Stack[len(f.Stack)-1]
		g.Running = true
		item, err := throwToIterator(inner, e)
		g.Running = false
		if err == nil {
			if handled.Type != nil {
				f.Stack = append(f.Stack, &suspended{handled})
			}
			return item, nil
		}
		f.Lasti++
		f.Stack = f.Stack[:len(f.Stack)-1]
		if py.IsException(py.StopIteration, err) && asException(err) != e {
			if handled.Type != nil {
				f.Stack = append(f.Stack, &suspended{handled})
			}
			return g.Send(stopValue(err))
		}
		info := exceptionInfo(err)
		e = info.Value.(*py.Exception)
		e.Traceback = info.Traceback
	}
	return g.Send(resumptionOf(f, e, handled))
}

// throwToIterator raises an exception in an iterator. If that has no throw, the exception is raised
// where the iterator is used.
func throwToIterator(it py.Object, e *py.Exception) (py.Object, error) {
	if e.Base.IsSubtype(py.GeneratorExit) {
		if method, err := py.GetAttrString(it, "close"); err == nil {
			if _, err := py.Call(method, nil, nil); err != nil {
				return nil, err
			}
		}
		return nil, e
	}
	method, err := py.GetAttrString(it, "throw")
	if err != nil {
		return nil, e
	}
	return py.Call(method, py.Tuple{e}, nil)
}

// closeGenerator is g.close(): it raises GeneratorExit where the generator waits.
func closeGenerator(g *py.Generator) error {
	_, err := throwInto(g, newException(py.GeneratorExit))
	switch {
	case err == nil:
		return py.ExceptionNewf(py.RuntimeError, "generator ignored GeneratorExit")
	case py.IsException(py.GeneratorExit, err), py.IsException(py.StopIteration, err):
		return nil
	}
	return err
}
