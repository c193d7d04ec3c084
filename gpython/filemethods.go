package gpython

// The methods of files by the names that programs call.

import (
	"io"
	"unicode/utf8"
	"weak"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// addMethods makes what a program can call.
func (f *file) addMethods() {
	type method = func(args py.Tuple, kwargs py.StringDict) (py.Object, error)
	plain := func(name string, call func() (py.Object, error)) method {
		return func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if _, err := arguments(name, args, kwargs, 0); err != nil {
				return nil, err
			}
			return call()
		}
	}
	f.methods = map[string]method{"write": f.write, "writelines": f.writeLines, "readlines": f.readLines, "seek": f.seek,
		"truncate": f.truncate, "read": f.reads("read", false), "readline": f.reads("readline", true)}
	f.methods["__exit__"] = func(py.Tuple, py.StringDict) (py.Object, error) { return py.None, f.close() }
	for name, call := range map[string]func() (py.Object, error){
		"close":     func() (py.Object, error) { return py.None, f.close() },
		"flush":     func() (py.Object, error) { return py.None, f.check() },
		"fileno":    f.number,
		"isatty":    func() (py.Object, error) { return py.False, f.check() },
		"readable":  func() (py.Object, error) { return py.NewBool(f.readable()), f.check() },
		"writable":  func() (py.Object, error) { return py.NewBool(f.writable()), f.check() },
		"seekable":  func() (py.Object, error) { return py.NewBool(f.seekable()), f.check() },
		"tell":      f.tell,
		"__enter__": func() (py.Object, error) { return f, f.check() },
		"__iter__":  f.M__iter__,
		"__next__":  f.M__next__,
	} {
		f.methods[name] = plain(name, call)
	}
}

// number is f.fileno(). The functions of os know the file by it.
func (f *file) number() (py.Object, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	fd := descriptorOf(f.f)
	f.in.numbered[fd] = weak.Make(f)
	return py.Int(fd), nil
}

// seekable tells files from pipes.
func (f *file) seekable() bool {
	_, err := f.f.Seek(0, io.SeekCurrent)
	return err == nil
}

// check says whether the file is open.
func (f *file) check() error { return f.do(true, "", func() error { return nil }) }

func (f *file) close() (err error) {
	f.in.blocking(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.closed.Swap(true) {
			err = f.f.Close()
		}
	})
	return err
}

func (f *file) M__iter__() (py.Object, error) { return f, f.check() }

func (f *file) M__next__() (py.Object, error) {
	line, err := f.take(-1, true)
	if err != nil {
		return nil, err
	}
	if lengthOf(line) == 0 {
		return nil, py.StopIteration
	}
	return line, nil
}

// lengthOf is how many characters or bytes were read.
func lengthOf(o py.Object) int {
	if b, ok := o.(py.Bytes); ok {
		return len(b)
	}
	s, _ := pyvalue.Plain(o).(py.String)
	return utf8.RuneCountInString(string(s))
}

// reads is read or readline, which take at most so much.
func (f *file) reads(name string, line bool) func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	return func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments(name, args, kwargs, 0, "size")
		if err != nil {
			return nil, err
		}
		n, err := sizeOf(a[0])
		if err != nil {
			return nil, err
		}
		return f.take(n, line)
	}
}

// sizeOf is how much to read: -1 for all.
func sizeOf(o py.Object) (int, error) {
	if o == nil || o == py.None {
		return -1, nil
	}
	n, err := py.IndexInt(o)
	return max(n, -1), err
}

// readLines is f.readlines(hint): lines until they have at least hint characters.
func (f *file) readLines(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("readlines", args, kwargs, 0, "hint")
	if err != nil {
		return nil, err
	}
	enough, err := sizeOf(a[0])
	if err != nil {
		return nil, err
	}
	lines := py.NewList()
	for size := 0; enough <= 0 || size < enough; {
		line, err := f.M__next__()
		if py.IsException(py.StopIteration, err) {
			break
		}
		if err != nil {
			return nil, err
		}
		size += lengthOf(line)
		lines.Append(line)
	}
	return lines, nil
}

func (f *file) write(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("write", args, kwargs, 1, "text")
	if err != nil {
		return nil, err
	}
	return f.put(a[0])
}

func (f *file) writeLines(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	return writeEach(args, kwargs, func(line py.Object) error {
		_, err := f.put(line)
		return err
	})
}

// seek is f.seek(offset, whence).
func (f *file) seek(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("seek", args, kwargs, 1, "offset", "whence")
	if err != nil {
		return nil, err
	}
	offset, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	whence := io.SeekStart
	if a[1] != nil {
		if whence, err = py.IndexInt(a[1]); err != nil {
			return nil, err
		}
	}
	if whence < io.SeekStart || whence > io.SeekEnd {
		return nil, py.ExceptionNewf(py.ValueError, "invalid whence (%d, should be 0, 1 or 2)", whence)
	}
	var at int64
	err = f.do(true, "", func() (err error) {
		if err = f.settle(); err == nil {
			at, err = f.f.Seek(int64(offset), whence)
		}
		return err
	})
	return py.Int(at), err
}

// tell is f.tell(): the position behind what the program has read.
func (f *file) tell() (py.Object, error) {
	var at int64
	err := f.do(true, "", func() (err error) {
		at, err = f.f.Seek(0, io.SeekCurrent)
		at -= int64(f.reader.Buffered())
		return err
	})
	return py.Int(at), err
}

// truncate is f.truncate(size); without a size the file ends where the program is.
func (f *file) truncate(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("truncate", args, kwargs, 0, "size")
	if err != nil {
		return nil, err
	}
	var size py.Object
	if size = a[0]; size == nil || size == py.None {
		if size, err = f.tell(); err != nil {
			return nil, err
		}
	}
	n, err := py.IndexInt(size)
	if err != nil {
		return nil, err
	}
	return py.Int(n), f.do(f.writable(), "not writable", func() error { return f.f.Truncate(int64(n)) })
}
