package gpython

// What an exception knows of other exceptions: its context, cause and traceback (PEP 3134). gpython
// v0.2.0 sets none of them, and returns some exception objects again and again, to all executions.
// CPython's tracebacks, which a driver gets as the text of its RemoteError, show context and cause.

import (
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// handled is the exception that the frame is handling, or else the one that its callers are, or
// nil.
func (m *machine) handled() *py.Exception {
	if m.exc.Type == nil {
		if in, ok := m.context.(*interp); ok {
			return in.outer
		}
		return nil
	}
	e, _ := m.exc.Value.(*py.Exception)
	return e
}

// raisedWithin runs an instruction of a frame that handles an exception: functions that are called
// know that exception, too.
func (m *machine) raisedWithin(run instruction, v *vm.Vm, arg int32) error {
	if in, ok := m.context.(*interp); ok {
		before := in.outer
		m.keepTraceback()
		in.outer = m.handled()
		defer func() { in.outer = before }()
	}
	if err := run(v, arg); err != nil {
		return m.raised(err)
	}
	return nil
}

// keepTraceback lets the exception that a handler looks at know its traceback, as __traceback__ in
// Python.
func (m *machine) keepTraceback() {
	if e := m.handled(); e != nil && m.exc.Type != nil {
		e.Traceback = m.exc.Traceback
	}
}

// raised completes an error that an instruction returned: the exception becomes one of its own,
// with the traceback that it had before, and with the exception that was being handled as its
// context.
func (m *machine) raised(err error) error {
	info, ok := err.(py.ExceptionInfo)
	if ok {
		// It comes from a function that was called.
		if e, ok := info.Value.(*py.Exception); ok {
			e.Traceback = info.Traceback
			m.setContext(e)
		}
		return info
	}
	e := asException(err)
	// gpython has exceptions that it returns again and again, to all executions.
	own := *e
	own.Dict = pyvalue.CopyNames(e.Dict)
	m.setContext(&own)
	return &own
}

// setContext notes that e was raised while the frame was handling an exception (PEP 3134).
func (m *machine) setContext(e *py.Exception) {
	handled := m.handled()
	if handled == nil {
		return
	}
	m.keepTraceback()
	for c := handled; c != nil; c = contextOf(c) {
		if c == e {
			return
		}
	}
	last := e
	for next := contextOf(last); next != nil; next = contextOf(last) {
		if next == handled {
			return
		}
		last = next
	}
	last.Context = handled
}

// contextOf is an exception's __context__, or nil.
func contextOf(e *py.Exception) *py.Exception {
	c, _ := e.Context.(*py.Exception)
	return c
}

// raiseVarargs is the raise statement.
func raiseVarargs(v *vm.Vm, argc int32) error {
	m := machineOf(v)
	if argc == 0 {
		if e := m.handled(); e != nil && m.exc.Type == nil {
			return m.raise(e)
		}
		if m.exc.Type == nil {
			return m.raised(py.ExceptionNewf(py.RuntimeError, "No active exception to reraise"))
		}
		m.curexc = m.exc
		m.why = whyException
		return nil
	}
	var cause py.Object
	if argc == 2 {
		cause = v.POP()
	}
	e, err := instantiate(v.POP(), "exceptions must derive from BaseException")
	if err != nil {
		return m.raised(err)
	}
	if cause == py.None {
		e.Cause, e.SuppressContext = nil, true
	} else if cause != nil {
		c, err := instantiate(cause, "exception causes must derive from BaseException")
		if err != nil {
			return m.raised(err)
		}
		e.Cause, e.SuppressContext = c, true
	}
	if e == m.exc.Value {
		return m.exc // raised again: this line comes before the ones it had
	}
	return m.raise(e)
}

// raise returns the error by which the frame raises an exception. One that has been raised before
// keeps its traceback.
func (m *machine) raise(e *py.Exception) error {
	m.setContext(e)
	if tb, ok := e.Traceback.(*py.Traceback); ok && tb != nil {
		return py.ExceptionInfo{Type: e.Base, Value: e, Traceback: tb}
	}
	return e
}

// instantiate makes an exception of what a program raises: one, or a class of them.
func instantiate(o py.Object, otherwise string) (*py.Exception, error) {
	if class, ok := o.(*py.Type); ok && py.ExceptionClassCheck(class) {
		made, err := py.Call(class, nil, nil)
		if err != nil {
			return nil, err
		}
		o = made
	}
	if e, ok := o.(*py.Exception); ok {
		return e, nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "%s", otherwise)
}
