package process

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
)

// reader is our end of a pipe that a process writes to.
type reader struct {
	file *os.File
	in   *pipe.Reader // of file

	mu   sync.Mutex // guards the file's deadline, and why it has passed
	died bool       // the process has died; otherwise reading was interrupted

	// Used by Read alone.
	ended bool
	left  int // bytes that were in the pipe at the end and are still to be returned
}

func newReader(file *os.File) *reader {
	return &reader{file: file, in: pipe.NewReader(file)}
}

// processDied tells the reader, also one that is blocked, that the process has died. What is in the
// pipe after the grace is the last that is read: only a process that the dead one started could
// write more.
func (r *reader) processDied(grace time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.died = true
	deadline := time.Unix(1, 0)
	if grace > 0 {
		deadline = time.Now().Add(grace)
	}
	// An error means that the file is closed already.
	_ = r.file.SetReadDeadline(deadline)
}

// interrupt makes the Read under way, or the next one, return farend.ErrReadInterrupted.
func (r *reader) interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.died {
		_ = r.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// clearDeadline takes back a deadline that has passed, and tells whether it was an interruption.
func (r *reader) clearDeadline() (interrupted bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.died, r.file.SetReadDeadline(time.Time{})
}

func (r *reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !r.ended {
		n, err := r.in.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, r.closeAtEOF(err)
		}
		interrupted, err := r.clearDeadline()
		if err != nil {
			return 0, err
		}
		if interrupted {
			return 0, farend.ErrReadInterrupted
		}
		r.ended = true
		r.left = pipe.Buffered(r.file)
	}
	if r.left == 0 {
		return 0, r.closeAtEOF(io.EOF)
	}
	n, err := r.file.Read(b[:min(len(b), r.left)])
	r.left -= n
	return n, err
}

// closeAtEOF closes the pipe at its end and makes later reads return io.EOF as well.
func (r *reader) closeAtEOF(err error) error {
	if err == io.EOF {
		r.ended, r.left = true, 0
		r.file.Close()
	}
	return err
}
