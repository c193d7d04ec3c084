package cpython

import (
	"os"
	"slices"

	"github.com/go-execnet/execnet/internal/pipe"
)

// pipes are the two pipes for calls, as one side has them.
type pipes struct {
	read, write *os.File
	wake        func() // ends a Read after read was closed; nil if Close does
}

// callPipes makes them. No other child inherits them.
func callPipes() (theirs, ours pipes, err error) {
	if ours.read, theirs.write, ours.wake, err = toRead(); err != nil {
		return theirs, ours, err
	}
	if ours.write, theirs.read, err = pipe.New(true); err != nil {
		ours.close()
		theirs.close()
	}
	return theirs, ours, err
}

// files are what the interpreter inherits.
func (p pipes) files() []*os.File {
	return slices.DeleteFunc([]*os.File{p.read, p.write}, func(f *os.File) bool { return f == nil })
}

func (p pipes) close() {
	for _, f := range p.files() {
		f.Close()
	}
	if p.wake != nil {
		p.wake()
	}
}
