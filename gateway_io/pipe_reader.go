package gatewayio

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
)

// pipeReader is our end of a pipe that a process writes to.
type pipeReader struct {
	file *os.File
	in   *pipe.Reader // of file

	mu     sync.Mutex // guards the file's deadline, and why it has passed
	hungUp bool       // the process has died; otherwise reading was interrupted

	// Set by the reader when it learns that the process has died, and then only its own.
	ended bool
	left  int // bytes that were in the pipe at the end and are still to be returned
}

func newPipeReader(file *os.File) *pipeReader {
	return &pipeReader{file: file, in: pipe.NewReader(file)}
}

// hangUp tells the reader, also one that is blocked, that the process has died. Whatever is in the
// pipe now is the last that it will get: from here on only a process that has nothing to do with us
// could write.
func (r *pipeReader) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hungUp = true
	// An error means that the file is closed already.
	_ = r.file.SetReadDeadline(past)
}

// interrupt makes the Read under way, or the next one, return farend.ErrReadInterrupted.
func (r *pipeReader) interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hungUp {
		_ = r.file.SetReadDeadline(past)
	}
}

// overdue tells, when the deadline has passed, whether that was an interruption, and takes the
// deadline back.
func (r *pipeReader) overdue() (interrupted bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.hungUp, r.file.SetReadDeadline(time.Time{})
}

func (r *pipeReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !r.ended {
		n, err := r.in.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, r.closeAtEOF(err)
		}
		interrupted, err := r.overdue()
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

// closeAtEOF gives the pipe back at its end and sees to it that later reads return io.EOF as well.
func (r *pipeReader) closeAtEOF(err error) error {
	if err == io.EOF {
		r.ended, r.left = true, 0
		r.file.Close()
	}
	return err
}
