package gpython

// The functions of os about descriptors: open, read, write, close and so on, with
// tempfile.mkstemp, which makes one. A program reaches only what it has opened, and the standard
// streams: the descriptor of the worker's own pipe to its driver is none of them.

import (
	"io"
	"os"
	"runtime"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// addDescriptorFunctions gives os these functions.
func (in *interp) addDescriptorFunctions(globals py.StringDict) {
	add := func(name string, call func(args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
		globals[name] = &function{name, call}
	}
	add("open", in.openNumber)
	add("write", in.writeDescriptor)
	add("close", in.closeDescriptor)
	add("fdopen", in.openDescriptor)
	add("read", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return in.onDescriptor("read", args, kwargs, func(f *os.File, n int) (py.Object, error) {
			if n < 0 {
				return nil, numberedError(22, "Invalid argument")
			}
			if err := pyvalue.Fits(n, 1); err != nil {
				return nil, err
			}
			b := make([]byte, n)
			var err error
			in.blocking(func() { n, err = f.Read(b) })
			if err == io.EOF {
				err = nil
			}
			return py.Bytes(b[:max(n, 0)]), err
		}, "length")
	})
	add("lseek", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("lseek", args, kwargs, 3, "fd", "position", "how")
		if err != nil {
			return nil, err
		}
		how, err := py.IndexInt(a[2])
		if err != nil {
			return nil, err
		}
		return in.onDescriptor("lseek", py.Tuple{a[0], a[1]}, nil, func(f *os.File, at int) (py.Object, error) {
			now, err := f.Seek(int64(at), how)
			return py.Int(now), err
		}, "position")
	})
	add("ftruncate", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return in.onDescriptor("ftruncate", args, kwargs, func(f *os.File, n int) (py.Object, error) {
			return py.None, f.Truncate(int64(n))
		}, "length")
	})
	for _, name := range []string{"fsync", "fdatasync"} {
		if name == "fdatasync" && runtime.GOOS != "linux" {
			continue
		}
		add(name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			return in.onDescriptor(name, args, kwargs, func(f *os.File, _ int) (res py.Object, err error) {
				in.blocking(func() { err = f.Sync() })
				return py.None, err
			})
		})
	}
	add("isatty", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("isatty", args, kwargs, 1, "fd")
		if err != nil {
			return nil, err
		}
		_, err = py.IndexInt(a[0])
		return py.False, err // a worker has no terminal
	})
	add("pipe", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("pipe", args, kwargs, 0); err != nil {
			return nil, err
		}
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		return py.Tuple{in.keep(r), in.keep(w)}, nil
	})
	for name, value := range openNumbers {
		globals[name] = py.Int(value)
	}
	for name, value := range map[string]int{"SEEK_SET": 0, "SEEK_CUR": 1, "SEEK_END": 2} {
		globals[name] = py.Int(value)
	}
}

// openNumbers are the flags of os.open that all systems have.
var openNumbers = map[string]int{"O_RDONLY": os.O_RDONLY, "O_WRONLY": os.O_WRONLY, "O_RDWR": os.O_RDWR, "O_APPEND": os.O_APPEND,
	"O_CREAT": os.O_CREATE, "O_EXCL": os.O_EXCL, "O_TRUNC": os.O_TRUNC}

// keep makes a file one of the program's descriptors, and returns its number.
func (in *interp) keep(f *os.File) py.Int {
	fd := descriptorOf(f)
	in.descriptors[fd] = f
	return py.Int(fd)
}

// onDescriptor calls f with the file behind the first argument, and the number that is the second
// one, if a name is given for it.
func (in *interp) onDescriptor(name string, args py.Tuple, kwargs py.StringDict, f func(f *os.File, n int) (py.Object, error),
	parameters ...string) (py.Object, error) {
	a, err := arguments(name, args, kwargs, 1+len(parameters), append([]string{"fd"}, parameters...)...)
	if err != nil {
		return nil, err
	}
	fd, err := in.descriptorNumber(a[0])
	if err != nil {
		return nil, err
	}
	n := 0
	if len(a) > 1 {
		if n, err = py.IndexInt(a[1]); err != nil {
			return nil, err
		}
	}
	file := in.descriptor(fd)
	if file == nil {
		return nil, badDescriptor()
	}
	res, err := f(file, n)
	if err != nil {
		return nil, withoutPath(err)
	}
	return res, nil
}

// descriptorNumber is a descriptor that a program gave: a number, or what has a fileno().
func (in *interp) descriptorNumber(o py.Object) (int, error) {
	if f, ok := o.(*file); ok {
		number, err := f.number()
		if err != nil {
			return 0, err
		}
		return int(number.(py.Int)), nil
	}
	return py.IndexInt(o)
}

// withoutPath is the exception for an error of a descriptor: Python's do not name the file.
func withoutPath(err error) error {
	e := systemError(err)
	if e == nil {
		return err
	}
	delete(e.Dict, "filename")
	return e
}

// openNumber is os.open.
func (in *interp) openNumber(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("open", args, kwargs, 2, "path", "flags", "mode", "dir_fd")
	if err != nil {
		return nil, err
	}
	if err := refuseFolderFD("open", a[3]); err != nil {
		return nil, err
	}
	path, err := anyPath("open", a[0])
	if err != nil {
		return nil, err
	}
	flags, err := py.IndexInt(a[1])
	if err != nil {
		return nil, err
	}
	mode := 0o777
	if a[2] != nil {
		if mode, err = py.IndexInt(a[2]); err != nil {
			return nil, err
		}
	}
	var f *os.File
	in.blocking(func() { f, err = os.OpenFile(path, flags, goMode(mode)) })
	if err != nil {
		return nil, aboutPath(err, a[0])
	}
	return in.keep(f), nil
}

// takeDescriptor gives up one of the program's descriptors.
func (in *interp) takeDescriptor(fd int) (*os.File, error) {
	f := in.descriptors[fd]
	if f == nil {
		return nil, badDescriptor()
	}
	delete(in.descriptors, fd)
	return f, nil
}

func badDescriptor() error { return numberedError(eBadFile, "Bad file descriptor") }

// closeDescriptor is os.close, for descriptors of makeTemp.
func (in *interp) closeDescriptor(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("close", args, kwargs, 1, "fd")
	if err != nil {
		return nil, err
	}
	fd, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	if f := in.numbered[fd].Value(); f != nil && !f.closed.Load() && in.descriptors[fd] == nil {
		return py.None, f.f.Close()
	}
	f, err := in.takeDescriptor(fd)
	if err != nil {
		return nil, err
	}
	return py.None, f.Close()
}

// openDescriptor is os.fdopen.
func (in *interp) openDescriptor(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 0 {
		if _, ok := args[0].(py.Int); !ok {
			return nil, py.ExceptionNewf(py.TypeError, "invalid fd type (<class '%s'>, expected integer)", args[0].Type().Name)
		}
	}
	return in.open(args, kwargs)
}

// writeDescriptor is os.write, also for the process's own output.
func (in *interp) writeDescriptor(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("write", args, kwargs, 2, "fd", "data")
	if err != nil {
		return nil, err
	}
	fd, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	data, ok := a[1].(py.Bytes)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", a[1].Type().Name)
	}
	file := in.descriptor(fd)
	if file == nil {
		return nil, badDescriptor()
	}
	var n int
	in.blocking(func() { n, err = file.Write(data) })
	if err != nil {
		return nil, withoutPath(err)
	}
	return py.Int(n), nil
}
