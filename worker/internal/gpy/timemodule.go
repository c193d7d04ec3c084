package gpy

import (
	"time"

	"github.com/go-python/gpython/py"
)

// started is where the clocks without a date begin.
var started = time.Now()

// timeModule has the clocks, and a sleep that ends with the execution. gpython's own module has little more.
func (in *interp) timeModule() (*py.Module, error) {
	globals := py.StringDict{"sleep": &function{"sleep", in.sleep}}
	clock := func(name string, now func() py.Object) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return now(), err
		}}
	}
	clock("time", func() py.Object { return py.Float(float64(time.Now().UnixNano()) / 1e9) })
	clock("time_ns", func() py.Object { return py.Int(time.Now().UnixNano()) })
	for _, name := range []string{"monotonic", "perf_counter"} {
		clock(name, func() py.Object { return py.Float(time.Since(started).Seconds()) })
	}
	return in.newModule("time", globals)
}

func (in *interp) sleep(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("sleep", args, kwargs, 1, "seconds")
	if err != nil {
		return nil, err
	}
	seconds, err := py.FloatAsFloat64(a[0])
	if err != nil {
		return nil, err
	}
	if seconds < 0 || seconds != seconds {
		return nil, py.ExceptionNewf(py.ValueError, "sleep length must be non-negative")
	}
	_, err = in.wait(nil, duration(seconds))
	return py.None, err
}
