package gpython

// The functions of os that change what the system knows of a file: its permissions, owner, times,
// length and links. gpython v0.2.0 has none of them.

import (
	"os"
	"time"

	"github.com/go-python/gpython/py"
)

// addLinkFunctions gives os these functions.
func (in *interp) addLinkFunctions(globals py.StringDict) {
	globals["readlink"] = &function{"readlink", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("readlink", args, kwargs, 1, "path", "dir_fd")
		if err != nil {
			return nil, err
		}
		if err := refuseFolderFD("readlink", a[1]); err != nil {
			return nil, err
		}
		path, err := anyPath("readlink", a[0])
		if err != nil {
			return nil, err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return nil, aboutPath(err, a[0])
		}
		if _, ok := a[0].(py.Bytes); ok {
			return py.Bytes(target), nil
		}
		return py.String(target), nil
	}}
	globals["chmod"] = &function{"chmod", in.changeMode}
	globals["truncate"] = &function{"truncate", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return in.withPathOrFD("truncate", args, kwargs, []string{"path", "length"}, func(f *os.File, path string, a []py.Object) error {
			n, err := py.IndexInt(a[1])
			switch {
			case err != nil:
				return err
			case f != nil:
				return f.Truncate(int64(n))
			}
			return os.Truncate(path, int64(n))
		})
	}}
	globals["utime"] = &function{"utime", in.changeTimes}
	for name, value := range map[string]int{"F_OK": 0, "R_OK": 4, "W_OK": 2, "X_OK": 1} {
		globals[name] = py.Int(value)
	}
}

// withPathOrFD calls f with the path that is the first argument, or with the open file if that is a
// descriptor. All parameters are required.
func (in *interp) withPathOrFD(name string, args py.Tuple, kwargs py.StringDict, parameters []string,
	f func(file *os.File, path string, a []py.Object) error) (py.Object, error) {
	a, err := arguments(name, args, kwargs, len(parameters), parameters...)
	if err != nil {
		return nil, err
	}
	if fd, ok := a[0].(py.Int); ok {
		file := in.descriptor(int(fd))
		if file == nil {
			e := badDescriptor().(*py.Exception)
			e.Dict["filename"] = fd
			return nil, e
		}
		return py.None, f(file, "", a)
	}
	path, err := pathArgument(name, "path", "string, bytes, os.PathLike or integer", a[0])
	if err != nil {
		return nil, err
	}
	if err := f(nil, path, a); err != nil {
		return nil, aboutPath(err, a[0])
	}
	return py.None, nil
}

// changeMode is os.chmod.
func (in *interp) changeMode(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	follow, err := truth(kwargs["follow_symlinks"], true)
	if err != nil {
		return nil, err
	}
	if !follow {
		return nil, py.ExceptionNewf(py.NotImplementedError, "chmod: follow_symlinks unavailable on this platform")
	}
	rest := kwargs.Copy()
	delete(rest, "follow_symlinks")
	if err := refuseFolderFD("chmod", rest["dir_fd"]); err != nil {
		return nil, err
	}
	delete(rest, "dir_fd")
	return in.withPathOrFD("chmod", args, rest, []string{"path", "mode"}, func(f *os.File, path string, a []py.Object) error {
		mode, err := py.IndexInt(a[1])
		switch {
		case err != nil:
			return err
		case f != nil:
			return f.Chmod(goMode(mode))
		}
		return os.Chmod(path, goMode(mode))
	})
}

// changeTimes is os.utime(path, times, ns=...).
func (in *interp) changeTimes(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("utime", args, kwargs, 1, "path", "times", "ns", "dir_fd", "follow_symlinks")
	if err != nil {
		return nil, err
	}
	if err := refuseFolderFD("utime", a[3]); err != nil {
		return nil, err
	}
	follow, err := truth(a[4], true)
	if err != nil {
		return nil, err
	}
	if !follow {
		return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no os.utime(follow_symlinks=False)")
	}
	path, err := pathArgument("utime", "path", "string, bytes, os.PathLike or integer", a[0])
	if err != nil {
		return nil, err
	}
	given := a[1] != nil && a[1] != py.None
	accessed, modified := time.Now(), time.Now()
	switch {
	case given && a[2] != nil:
		return nil, py.ExceptionNewf(py.ValueError, "utime: you may specify either 'times' or 'ns' but not both")
	case given:
		pair, ok := a[1].(py.Tuple)
		if !ok || len(pair) != 2 {
			return nil, py.ExceptionNewf(py.TypeError, "utime: 'times' must be either a tuple of two ints or None")
		}
		if accessed, err = secondsTime(pair[0]); err != nil {
			return nil, err
		}
		if modified, err = secondsTime(pair[1]); err != nil {
			return nil, err
		}
	case a[2] != nil:
		pair, ok := a[2].(py.Tuple)
		if !ok || len(pair) != 2 {
			return nil, py.ExceptionNewf(py.TypeError, "utime: 'ns' must be a tuple of two ints")
		}
		var n [2]int
		for i := range n {
			if n[i], err = py.IndexInt(pair[i]); err != nil {
				return nil, err
			}
		}
		accessed, modified = time.Unix(0, int64(n[0])), time.Unix(0, int64(n[1]))
	}
	if err := os.Chtimes(path, accessed, modified); err != nil {
		return nil, withoutPath(err)
	}
	return py.None, nil
}

// secondsTime is a time in seconds that may be a fraction, rounded down to nanoseconds as CPython
// does.
func secondsTime(o py.Object) (time.Time, error) {
	if n, ok := o.(py.Int); ok {
		return time.Unix(int64(n), 0), nil
	}
	t, err := moment(o)
	if err != nil {
		return t, err
	}
	seconds, err := py.FloatAsFloat64(o)
	if err != nil {
		return t, err
	}
	fraction := seconds - float64(t.Unix())
	return t.Add(time.Duration(fraction * 1e9)), nil
}
