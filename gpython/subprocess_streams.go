package gpython

// The streams that a child of module subprocess gets, and the files that programs name for them.

import (
	"os"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// childStreams are the three streams of a child: the ends that it gets, and the program's ends of
// those that are pipes.
type childStreams struct {
	in     *interp
	theirs [3]*os.File
	ours   [3]*os.File
	opened []*os.File // of theirs, those that are closed when the child has them
}

// open makes the streams that the program asks for.
func (s *childStreams) open(wanted []py.Object) error {
	own := [3]*os.File{os.Stdin, os.Stdout, os.Stderr}
	for i, o := range wanted {
		var err error
		switch {
		case o == py.None:
			s.theirs[i] = own[i]
		case o == py.Object(py.Int(streamPipe)):
			err = s.openPipe(i)
		case o == py.Object(py.Int(streamStdout)) && i == 2:
			s.theirs[i] = s.theirs[1]
		case o == py.Object(py.Int(streamNull)):
			err = s.openNull(i)
		case o == py.Object(nullOutput), o == py.Object(nullInput):
			err = s.openNull(i)
		default:
			s.theirs[i], err = s.in.streamOf(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *childStreams) openNull(i int) (err error) {
	s.theirs[i], err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		s.opened = append(s.opened, s.theirs[i])
	}
	return err
}

func (s *childStreams) openPipe(i int) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	s.theirs[i], s.ours[i] = w, r
	if i == 0 {
		s.theirs[i], s.ours[i] = r, w
	}
	s.opened = append(s.opened, s.theirs[i])
	return nil
}

func (s *childStreams) closeTheirs() {
	for _, f := range s.opened {
		_ = f.Close() // nothing has been written to it
	}
}

func (s *childStreams) closeOurs() {
	for _, f := range s.ours {
		if f != nil {
			_ = f.Close()
		}
	}
}

// streamOf is the file of the system behind an object that a program gives for a stream: an open
// file, a descriptor, or what has a fileno().
func (in *interp) streamOf(o py.Object) (*os.File, error) {
	switch x := o.(type) {
	case *file:
		if x.seekable() {
			if err := x.do(true, "", x.settle); err != nil {
				return nil, err
			}
		}
		return x.f, x.check()
	case *stream:
		return os.Stderr, nil
	case py.Int:
		if f := in.descriptor(int(x)); f != nil {
			return f, nil
		}
		return nil, badDescriptor()
	}
	method, err := pyvalue.GetAttr(o, "fileno")
	if err != nil {
		return nil, err
	}
	number, err := py.Call(method, nil, nil)
	if err != nil {
		return nil, err
	}
	fd, err := py.IndexInt(number)
	if err != nil {
		return nil, err
	}
	return in.streamOf(py.Int(fd))
}

// descriptor is the file of a number that the program may use: one of the standard streams, or one
// that it has opened.
func (in *interp) descriptor(fd int) *os.File {
	switch fd {
	case 0:
		return os.Stdin
	case 1:
		return os.Stdout
	case 2:
		return os.Stderr
	}
	if f := in.descriptors[fd]; f != nil {
		return f
	}
	if f := in.numbered[fd].Value(); f != nil && !f.closed.Load() {
		return f.f
	}
	return nil
}
