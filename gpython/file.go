package gpython

// open() and the files that it returns. gpython v0.2.0's files have read, write, flush and close,
// but no lines, no iteration and no encodings. These have what CPython's have except detach,
// readinto and reconfigure. What is written goes to the system at once, so that nothing is lost
// with a file that is never closed: there are no reference counts that would close it in time.

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// file is what open gives. What is written goes to the system at once, so that nothing is lost with
// a file that is never closed.
type file struct {
	in       *interp
	name     py.Object
	mode     string
	binary   bool
	encoding string // of text, as the program calls it
	codec    string // and as package pyvalue does
	errors   string // what is done about what does not fit it
	verbatim bool   // newlines are what they are
	methods  map[string]func(args py.Tuple, kwargs py.StringDict) (py.Object, error)

	// mu guards what follows. Threads may share a file, and wait for the system without the
	// interpreter's lock.
	mu     sync.Mutex
	f      *os.File
	reader *bufio.Reader

	closed atomic.Bool
}

var (
	fileType             = newType(py.ObjectType, "file", "An open file.")
	unsupportedOperation = newType(py.OSError, "UnsupportedOperation", "The file was opened for something else.")
)

func init() { unsupportedOperation.Dict["__module__"] = py.String("io") }

// open is the builtin.
func (in *interp) open(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	names := []string{"file", "mode", "buffering", "encoding", "errors", "newline"}
	a, err := arguments("open", args, kwargs, 1, names...)
	if err != nil {
		return nil, err
	}
	texts := [4]string{"r", "UTF-8", "strict", ""}
	for i, at := range []int{1, 3, 4, 5} {
		if a[at] == nil || a[at] == py.None {
			continue
		}
		text, ok := pyvalue.Plain(a[at]).(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "open() argument '%s' must be str, not %s", names[at], a[at].Type().Name)
		}
		texts[i] = string(text)
	}
	flags, err := openFlags(texts[0])
	if err != nil {
		return nil, err
	}
	f := &file{in: in, name: a[0], mode: texts[0], binary: strings.Contains(texts[0], "b"), encoding: texts[1], errors: texts[2]}
	f.verbatim = f.binary || a[5] != nil && a[5] != py.None
	for _, at := range []int{3, 4, 5} {
		if f.binary && a[at] != nil && a[at] != py.None {
			return nil, py.ExceptionNewf(py.ValueError, "binary mode doesn't take an %s argument", names[at])
		}
	}
	if f.codec, err = pyvalue.CodecName(f.encoding); err != nil {
		return nil, err
	}
	if fd, ok := a[0].(py.Int); ok {
		f.f, err = in.takeDescriptor(int(fd))
	} else {
		f.f, err = in.openPath(a[0], flags)
	}
	if err != nil {
		return nil, err
	}
	f.reader = bufio.NewReader(f.f)
	f.addMethods()
	return f, nil
}

// pipeFile is the file for the program's end of a pipe to a child: text if there is an encoding,
// else binary.
func (in *interp) pipeFile(end *os.File, writes bool, encoding, onError py.Object) (py.Object, error) {
	f := &file{in: in, f: end, name: py.Int(descriptorOf(end)), mode: "rb", binary: true, verbatim: true, reader: bufio.NewReader(end)}
	if writes {
		f.mode = "wb"
	}
	if text, ok := pyvalue.Plain(encoding).(py.String); ok {
		f.mode, f.binary, f.verbatim, f.encoding, f.errors = f.mode[:1], false, false, string(text), "strict"
		if text, ok := pyvalue.Plain(onError).(py.String); ok {
			f.errors = string(text)
		}
		var err error
		if f.codec, err = pyvalue.CodecName(f.encoding); err != nil {
			return nil, err
		}
	}
	f.addMethods()
	return f, nil
}

// descriptorOf is the number by which the system knows a file. Unlike Fd it leaves the file as it
// is: after Fd a read of a pipe could not be interrupted.
func descriptorOf(f *os.File) (fd int) {
	fd = -1
	conn, err := f.SyscallConn()
	if err == nil {
		_ = conn.Control(func(number uintptr) { fd = int(number) }) // fails when closed
	}
	return fd
}

// openPath opens a file by its path, which a program gave. A folder is an error, as in CPython.
func (in *interp) openPath(o py.Object, flags int) (f *os.File, err error) {
	path, err := anyPath("open", o)
	if err != nil {
		return nil, py.ExceptionNewf(py.TypeError, "expected str, bytes or os.PathLike object, not %s", o.Type().Name)
	}
	in.blocking(func() { f, err = os.OpenFile(path, flags, 0o666) })
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, numberedError(eIsFolder, "Is a directory", path)
	}
	return f, nil
}

// openFlags is what a mode means to the system.
func openFlags(mode string) (int, error) {
	for i, c := range mode {
		if !strings.ContainsRune("rwxabt+", c) || strings.ContainsRune(mode[i+1:], c) {
			return 0, py.ExceptionNewf(py.ValueError, "invalid mode: '%s'", mode)
		}
	}
	if strings.Contains(mode, "b") && strings.Contains(mode, "t") {
		return 0, py.ExceptionNewf(py.ValueError, "can't have text and binary mode at once")
	}
	flags, ways := os.O_WRONLY, 0
	if strings.Contains(mode, "+") {
		flags = os.O_RDWR
	}
	for _, way := range mode {
		switch way {
		case 'r':
			flags &^= os.O_WRONLY // O_RDONLY is 0, and O_RDWR another bit
		case 'w':
			flags |= os.O_CREATE | os.O_TRUNC
		case 'x':
			flags |= os.O_CREATE | os.O_EXCL
		case 'a':
			flags |= os.O_CREATE | os.O_APPEND
		default:
			continue
		}
		ways++
	}
	if ways == 0 {
		return 0, py.ExceptionNewf(py.ValueError, "Must have exactly one of create/read/write/append mode and at most one plus")
	}
	if ways > 1 {
		return 0, py.ExceptionNewf(py.ValueError, "must have exactly one of create/read/write/append mode")
	}
	return flags, nil
}

func (f *file) Type() *py.Type { return fileType }

func (f *file) M__repr__() (py.Object, error) {
	name, err := pyvalue.Repr(f.name)
	return py.String(fmt.Sprintf("<file name=%s mode='%s'>", name, f.mode)), err
}

func (f *file) M__getattr__(name string) (py.Object, error) {
	if method, ok := f.methods[name]; ok {
		return &function{name, method}, nil
	}
	switch name {
	case "name":
		return f.name, nil
	case "mode":
		return py.String(f.mode), nil
	case "closed":
		return py.NewBool(f.closed.Load()), nil
	case "encoding":
		if !f.binary {
			return py.String(f.encoding), nil
		}
	}
	return nil, noAttribute(f, name)
}

// AttributeNames is for dir.
func (f *file) AttributeNames() []string {
	return append(slices.Collect(maps.Keys(f.methods)), "name", "mode", "closed")
}

func (f *file) readable() bool { return strings.ContainsAny(f.mode, "r+") }
func (f *file) writable() bool { return strings.ContainsAny(f.mode, "wxa+") }

// do runs a function that waits for the system, without the interpreter's lock. It raises an error
// instead if the file is closed or, as may says, was opened for something else, which what names.
func (f *file) do(may bool, what string, do func() error) (err error) {
	f.in.blocking(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		switch {
		case f.closed.Load():
			err = py.ExceptionNewf(py.ValueError, "I/O operation on closed file.")
		case !may:
			err = newException(unsupportedOperation, py.String(what))
		default:
			err = do()
		}
	})
	if errors.Is(err, os.ErrClosed) && f.in.ctx.Err() != nil {
		return f.in.interruption() // which has closed the pipe
	}
	var ofPath *fs.PathError
	if errors.As(err, &ofPath) {
		return ofPath.Err // Python's errors of open files do not name them
	}
	return err
}

// text is the object for what was read.
func (f *file) text(b []byte) (py.Object, error) {
	if f.binary {
		return py.Bytes(b), nil
	}
	s, err := pyvalue.Decode(b, f.codec, f.errors)
	return py.String(s), err
}

// take reads n characters or bytes, fewer at the end; all if n is negative. A line ends it too, if
// line is set.
func (f *file) take(n int, line bool) (py.Object, error) {
	var b []byte
	err := f.do(f.readable(), "not readable", func() (err error) {
		if n < 0 && !line {
			b, err = f.rest()
			return err
		}
		for n != 0 || f.within() {
			c, err := f.reader.ReadByte()
			switch {
			case err == io.EOF:
				return nil
			case err != nil:
				return err
			case len(b) >= pyvalue.MostBytes:
				return newException(py.MemoryError)
			}
			if c == '\r' && !f.verbatim {
				c = '\n'
				if next, _ := f.reader.Peek(1); len(next) > 0 && next[0] == '\n' {
					_, _ = f.reader.Discard(1) // it is there
				}
			}
			b = append(b, c)
			if line && c == '\n' {
				return nil
			}
			if n > 0 && !f.continues(c) {
				n--
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f.text(b)
}

// continues reports whether a byte belongs to the character before it.
func (f *file) continues(c byte) bool { return !f.binary && f.codec == "utf-8" && c&0xc0 == 0x80 }

// within reports whether what comes next belongs to the last character that was read.
func (f *file) within() bool {
	if f.binary {
		return false
	}
	next, _ := f.reader.Peek(1)
	return len(next) > 0 && f.continues(next[0])
}

// rest is all that there is.
func (f *file) rest() ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(f.reader, int64(pyvalue.MostBytes)+1))
	if len(b) > pyvalue.MostBytes {
		return nil, newException(py.MemoryError)
	}
	if !f.verbatim && err == nil && strings.Contains(string(b), "\r") {
		b = []byte(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(b)))
	}
	return b, err
}

// put writes one str or bytes, and gives how much that was.
func (f *file) put(o py.Object) (py.Object, error) {
	var b []byte
	size := 0
	switch x := pyvalue.Plain(o).(type) {
	case py.Bytes:
		if !f.binary {
			return nil, py.ExceptionNewf(py.TypeError, "write() argument must be str, not bytes")
		}
		b, size = x, len(x)
	case py.String:
		if f.binary {
			return nil, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not 'str'")
		}
		s := string(x)
		size = utf8.RuneCountInString(s)
		if !f.verbatim && runtime.GOOS == "windows" {
			s = strings.ReplaceAll(s, "\n", "\r\n")
		}
		var err error
		if b, err = pyvalue.Encode(s, f.codec, f.errors); err != nil {
			return nil, err
		}
	default:
		if f.binary {
			return nil, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", o.Type().Name)
		}
		return nil, py.ExceptionNewf(py.TypeError, "write() argument must be str, not %s", o.Type().Name)
	}
	return py.Int(size), f.do(f.writable(), "not writable", func() error {
		if err := f.settle(); err != nil {
			return err
		}
		_, err := f.f.Write(b)
		return err
	})
}

// settle sets the system's position in the file to where the program has read to: the reader may
// have read further.
func (f *file) settle() error {
	ahead := f.reader.Buffered()
	if ahead == 0 {
		return nil
	}
	_, err := f.f.Seek(int64(-ahead), io.SeekCurrent)
	f.reader.Reset(f.f)
	return err
}
