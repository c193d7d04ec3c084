package gpython

// channel.makefile(): execnet's ChannelFileWrite and ChannelFileRead (gateway_base.py). They have
// writelines and iteration besides, as CPython's files do.

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// channelFile is what channel.makefile gives: execnet's ChannelFileWrite or ChannelFileRead, with
// writelines and iteration besides.
type channelFile struct {
	channel    *channel
	proxyClose bool
	methods    map[string]func(args py.Tuple, kwargs py.StringDict) (py.Object, error)

	// Of a file to read from: what has come and not been read. All of it is bytes if its first item
	// was.
	started, isBytes bool
	rest             string
}

var channelFileType = execnetType(py.ObjectType, "ChannelFile", "A file over a channel.")

func (f *channelFile) Type() *py.Type { return channelFileType }

// makeFile is channel.makefile(mode, proxyclose).
func (c *channel) makeFile(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("makefile", args, kwargs, 0, "mode", "proxyclose")
	if err != nil {
		return nil, err
	}
	f := &channelFile{channel: c}
	if f.proxyClose, err = truth(a[1], false); err != nil {
		return nil, err
	}
	type methods = map[string]func(args py.Tuple, kwargs py.StringDict) (py.Object, error)
	switch a[0] {
	case nil, py.String("w"):
		f.methods = methods{"write": f.write, "writelines": f.writeLines, "flush": f.nothing}
	case py.String("r"):
		f.methods = methods{"read": f.read, "readline": f.readLine}
	default:
		mode, err := pyvalue.Repr(a[0])
		if err != nil {
			return nil, err
		}
		return nil, py.ExceptionNewf(py.ValueError, "mode %s not available", mode)
	}
	f.methods["close"] = f.close
	f.methods["isatty"] = func(py.Tuple, py.StringDict) (py.Object, error) { return py.False, nil }
	return f, nil
}

func (f *channelFile) M__repr__() (py.Object, error) {
	state := "open"
	if f.channel.ch.IsClosed() {
		state = "closed"
	}
	return py.String(fmt.Sprintf("<ChannelFile %d %s>", f.channel.ch.ID(), state)), nil
}

func (f *channelFile) M__getattr__(name string) (py.Object, error) {
	if method, ok := f.methods[name]; ok {
		return &function{name, method}, nil
	}
	if name == "channel" {
		return f.channel, nil
	}
	return nil, noAttribute(f, name)
}

func (f *channelFile) nothing(py.Tuple, py.StringDict) (py.Object, error) { return py.None, nil }

func (f *channelFile) close(py.Tuple, py.StringDict) (py.Object, error) {
	if !f.proxyClose {
		return py.None, nil
	}
	return f.channel.close(nil, nil)
}

func (f *channelFile) write(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("write", args, kwargs, 1, "out")
	if err != nil {
		return nil, err
	}
	return py.None, f.channel.send(a[0])
}

func (f *channelFile) writeLines(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	return writeEach(args, kwargs, f.channel.send)
}

// writeEach is a file's writelines, given how to write one of them.
func writeEach(args py.Tuple, kwargs py.StringDict, write func(line py.Object) error) (py.Object, error) {
	a, err := arguments("writelines", args, kwargs, 1, "lines")
	if err != nil {
		return nil, err
	}
	it, err := py.Iter(a[0])
	for err == nil {
		var line py.Object
		if line, err = py.Next(it); err == nil {
			err = write(line)
		}
	}
	if py.IsException(py.StopIteration, err) {
		return py.None, nil
	}
	return nil, err
}

// fill takes one more item, and reports whether there was one.
func (f *channelFile) fill() (bool, error) {
	item, err := f.channel.receive(nil)
	if err != nil {
		if !py.IsException(py.EOFError, err) {
			return false, err
		}
		_, err = f.close(nil, nil)
		return false, err
	}
	switch x := pyvalue.Plain(item).(type) {
	case py.String:
		if f.isBytes {
			return false, py.ExceptionNewf(py.TypeError, "can't concat str to bytes")
		}
		f.rest += string(x)
	case py.Bytes:
		if f.started && !f.isBytes {
			return false, py.ExceptionNewf(py.TypeError, `can only concatenate str (not "bytes") to str`)
		}
		f.isBytes = true
		f.rest += string(x)
	default:
		return false, py.ExceptionNewf(py.TypeError, "a file over a channel can read str and bytes, not '%s'", item.Type().Name)
	}
	f.started = true
	return true, nil
}

// take cuts n bytes off what is there.
func (f *channelFile) take(n int) py.Object {
	s := f.rest[:n]
	f.rest = f.rest[n:]
	if f.isBytes {
		return py.Bytes(s)
	}
	return py.String(s)
}

// find is where the first n characters of what is there end, and false if there are fewer.
func (f *channelFile) find(n int) (int, bool) {
	if f.isBytes {
		return min(n, len(f.rest)), n <= len(f.rest)
	}
	at := 0
	for ; n > 0 && at < len(f.rest); n-- {
		_, size := utf8.DecodeRuneInString(f.rest[at:])
		at += size
	}
	return at, n <= 0
}

// read reads n characters or bytes; fewer at the end, and all that come if n is left out or
// negative.
func (f *channelFile) read(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("read", args, kwargs, 0, "n")
	if err != nil {
		return nil, err
	}
	n := -1
	if a[0] != nil && a[0] != py.None {
		if n, err = py.IndexInt(a[0]); err != nil {
			return nil, err
		}
	}
	for {
		if n >= 0 && (f.started || n == 0) {
			if at, ok := f.find(n); ok {
				return f.take(at), nil
			}
		}
		more, err := f.fill()
		if err != nil {
			return nil, err
		}
		if !more {
			return f.take(len(f.rest)), nil
		}
	}
}

// readLine reads up to the next newline; the last line may lack one, and after it comes an empty
// one.
func (f *channelFile) readLine(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("readline", args, kwargs, 0); err != nil {
		return nil, err
	}
	return f.line()
}

// line returns the next line, as readLine does.
func (f *channelFile) line() (py.Object, error) {
	for searched := 0; ; {
		if i := strings.IndexByte(f.rest[searched:], '\n'); i >= 0 {
			return f.take(searched + i + 1), nil
		}
		searched = len(f.rest)
		more, err := f.fill()
		if err != nil {
			return nil, err
		}
		if !more {
			return f.take(len(f.rest)), nil
		}
	}
}

func (f *channelFile) M__iter__() (py.Object, error) { return f, nil }

func (f *channelFile) M__next__() (py.Object, error) {
	if f.methods["readline"] == nil {
		return nil, py.ExceptionNewf(py.TypeError, "the file is not open for reading")
	}
	line, err := f.line()
	if line == py.Object(py.String("")) {
		return nil, py.StopIteration
	}
	if b, ok := line.(py.Bytes); ok && len(b) == 0 {
		return nil, py.StopIteration
	}
	return line, err
}
