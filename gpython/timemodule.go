package gpython

import (
	"time"

	"github.com/go-python/gpython/py"
)

// started is where the clocks without a date begin.
var started = time.Now()

// timeModule has the clocks, and a sleep that ends with the execution. gpython's own module has
// little more.
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
		clock(name+"_ns", func() py.Object { return py.Int(time.Since(started)) })
	}
	add := func(name string, argument string, call func(o py.Object) (py.Object, error)) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 0, argument)
			if err != nil {
				return nil, err
			}
			return call(a[0])
		}}
	}
	add("localtime", "seconds", func(o py.Object) (py.Object, error) { t, err := moment(o); return newStructTime(t), err })
	add("gmtime", "seconds", func(o py.Object) (py.Object, error) { t, err := moment(o); return newStructTime(t.UTC()), err })
	add("ctime", "seconds", func(o py.Object) (py.Object, error) {
		t, err := moment(o)
		if err != nil {
			return nil, err
		}
		text, err := formatTime("%c", newStructTime(t))
		return py.String(text), err
	})
	add("asctime", "t", func(o py.Object) (py.Object, error) { return formattedTime("%c", o) })
	add("mktime", "t", func(o py.Object) (py.Object, error) {
		s, err := parts(o)
		if err != nil {
			return nil, err
		}
		n, err := numbers(s.Tuple)
		return py.Float(localTime(n).Unix()), err
	})
	globals["strftime"] = &function{"strftime", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("strftime", args, kwargs, 1, "format", "t")
		if err != nil {
			return nil, err
		}
		format, ok := a[0].(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "strftime() argument 1 must be str, not %s", a[0].Type().Name)
		}
		return formattedTime(string(format), a[1])
	}}
	globals["struct_time"] = structTimeType
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

func formattedTime(format string, o py.Object) (py.Object, error) {
	s, err := parts(o)
	if err != nil {
		return nil, err
	}
	text, err := formatTime(format, s)
	return py.String(text), err
}
