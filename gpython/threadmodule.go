package gpython

// _thread and threading, which gpython v0.2.0 lacks. A thread is a goroutine that holds the
// interpreter's lock while it runs Python, as CPython's threads hold the GIL; threading itself is
// written in Python (library/threading.py).

import (
	"os"
	"time"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// The identities of who runs Python in an execution. Threads that it starts are numbered from
// there.
const (
	mainThread     = 1
	callbackThread = 2
)

// timeoutMax is how long a wait for a lock can be, in seconds.
const timeoutMax = 1 << 32

// threadModule is _thread. Threads take turns with the program and its callbacks, and like those go
// on after its end.
func (in *interp) threadModule() (*py.Module, error) {
	globals := py.StringDict{
		"LockType": lockType, "error": py.RuntimeError, "TIMEOUT_MAX": py.Float(timeoutMax),
		"_main": py.Int(mainThread),
	}
	add := func(name string, call func(args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
		globals[name] = &function{name, call}
	}
	for _, name := range []string{"start_new_thread", "start_new"} {
		add(name, in.startNewThread)
	}
	for _, name := range []string{"allocate_lock", "allocate"} {
		add(name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return &lock{in: in}, err
		})
	}
	add("get_ident", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		_, err := arguments("get_ident", args, kwargs, 0)
		return py.Int(in.thread), err
	})
	add("exit", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return nil, newException(py.SystemExit)
	})
	add("_complain", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("_complain", args, kwargs, 1, "text")
		if err != nil {
			return nil, err
		}
		text, _ := pyvalue.Plain(a[0]).(py.String)
		in.complain(string(text))
		return py.None, nil
	})
	return in.newModule("_thread", globals)
}

// startNewThread is _thread.start_new_thread.
func (in *interp) startNewThread(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("start_new_thread", args, kwargs, 2, "function", "args", "kwargs")
	if err != nil {
		return nil, err
	}
	positional, ok := a[1].(py.Tuple)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "2nd arg must be a tuple")
	}
	named := py.StringDict{}
	if a[2] != nil {
		d, ok := a[2].(*pyvalue.Dict)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "optional 3rd arg must be a dictionary")
		}
		if named, err = d.StringDict(); err != nil {
			return nil, err
		}
	}
	in.threads++
	in.shared = true
	id := in.threads
	in.channel.Gateway().Go(func() { in.runThread(id, a[0], append(py.Tuple(nil), positional...), named) })
	return py.Int(id), nil
}

// runThread is a thread from beginning to end.
func (in *interp) runThread(id int64, f py.Object, args py.Tuple, kwargs py.StringDict) {
	in.lock()
	defer in.unlock()
	defer in.collectSoon()
	in.depth, in.thread = 0, id
	returned := false
	defer func() {
		if !returned {
			in.complain("A thread has ended: a Go function has called runtime.Goexit\n")
		}
	}()
	err := func() (err error) {
		defer recoverPanic(&err)
		_, err = py.Call(f, args, kwargs)
		return err
	}()
	returned = true
	if err == nil || py.IsException(py.SystemExit, err) || py.IsException(py.KeyboardInterrupt, err) {
		return
	}
	name, reprErr := pyvalue.Repr(f)
	if reprErr != nil {
		name = "a function"
	}
	in.complain("Exception ignored in thread started by: " + name + "\n" + in.traceback(exceptionInfo(err)))
}

// complain reports an error that no caller gets: it writes to the program's sys.stderr, or, where
// that is not possible, to this process's stderr.
func (in *interp) complain(text string) {
	if sys, err := in.store.GetModule("sys"); err == nil {
		if file := sys.Globals["stderr"]; file != nil && file != py.None {
			if write, err := py.GetAttrString(file, "write"); err == nil {
				if _, err := py.Call(write, py.Tuple{py.String(text)}, nil); err == nil {
					return
				}
			}
		}
	}
	// If this fails, there is no other place to report it.
	_, _ = os.Stderr.WriteString(text)
}

// lock is a lock of _thread.
type lock struct {
	in   *interp
	held bool
	// waiting has a channel for each that waits. Closing it hands the lock over, which stays held.
	waiting []chan struct{}
}

var lockType = newType(py.ObjectType, "_thread.lock", "A lock.")

func (l *lock) Type() *py.Type { return lockType }

func (l *lock) M__repr__() (py.Object, error) {
	if l.held {
		return py.String("<locked _thread.lock object>"), nil
	}
	return py.String("<unlocked _thread.lock object>"), nil
}

func (l *lock) M__getattr__(name string) (py.Object, error) {
	switch name {
	case "acquire", "acquire_lock", "__enter__":
		return &function{name, l.acquire}, nil
	case "release", "release_lock":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if _, err := arguments(name, args, kwargs, 0); err != nil {
				return nil, err
			}
			return py.None, l.release()
		}}, nil
	case "__exit__":
		return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) { return py.None, l.release() }}, nil
	case "locked", "locked_lock":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return py.NewBool(l.held), err
		}}, nil
	}
	return nil, noAttribute(l, name)
}

// acquire is lock.acquire(blocking, timeout).
func (l *lock) acquire(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("acquire", args, kwargs, 0, "blocking", "timeout")
	if err != nil {
		return nil, err
	}
	blocking, err := truth(a[0], true)
	if err != nil {
		return nil, err
	}
	seconds := -1.0
	if a[1] != nil {
		if seconds, err = py.FloatAsFloat64(a[1]); err != nil {
			return nil, err
		}
	}
	limit := forever
	switch {
	case !blocking && seconds != -1:
		return nil, py.ExceptionNewf(py.ValueError, "can't specify a timeout for a non-blocking call")
	case seconds != seconds || seconds < 0 && seconds != -1:
		return nil, py.ExceptionNewf(py.ValueError, "timeout value must be a non-negative number")
	case seconds > timeoutMax:
		return nil, py.ExceptionNewf(py.OverflowError, "timeout value is too large")
	case seconds >= 0:
		limit = time.Duration(seconds * float64(time.Second))
	}
	if !l.held {
		l.held = true
		return py.True, nil
	}
	if !blocking {
		return py.False, nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	_, err = l.in.wait(turn, limit)
	for i, other := range l.waiting {
		if other == turn {
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return py.False, err
		}
	}
	if err != nil {
		_ = l.release() // it was this one's turn at the same moment
		return nil, err
	}
	return py.True, nil
}

// release hands the lock to the one that has waited longest, or frees it.
func (l *lock) release() error {
	switch {
	case !l.held:
		return py.ExceptionNewf(py.RuntimeError, "release unlocked lock")
	case len(l.waiting) > 0:
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	default:
		l.held = false
	}
	return nil
}
