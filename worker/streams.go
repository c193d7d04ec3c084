package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
)

// wire is the way to the driver, which has something to say before there is a gateway.
type wire interface {
	gatewaybase.IO
	// limitReads makes reading fail after a time where anybody may have connected; 0 takes that
	// back.
	limitReads(limit time.Duration)
	// readFirst makes Read return what a reader has before what comes.
	readFirst(ahead io.Reader)
}

// streams are the stdin and stdout that a worker was started with, as a gateway's pipe.
type streams struct {
	in, out *os.File
	reader  *pipe.Reader // of in
	writer  *pipe.Writer // of out
	ahead   io.Reader    // what was read from in already; nil if nothing was

	closing sync.Mutex // guards the closing of out, so that it happens once
	closed  bool
}

func newStreams(in, out *os.File) *streams {
	return &streams{in: in, out: out, reader: pipe.NewReader(in), writer: pipe.NewWriter(out)}
}

// Read reads what was read ahead, then stdin.
func (s *streams) Read(p []byte) (int, error) {
	if s.ahead != nil {
		if n, err := s.ahead.Read(p); n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		s.ahead = nil
	}
	n, err := s.reader.Read(p)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		// If it fails, so does the next Read.
		_ = s.in.SetReadDeadline(time.Time{})
		return 0, farend.ErrReadInterrupted
	}
	return n, err
}

// readFirst implements wire.
func (s *streams) readFirst(ahead io.Reader) { s.ahead = ahead }

// ReadFile implements farend.FileReader.
func (s *streams) ReadFile() *os.File {
	if s.ahead != nil {
		return nil
	}
	return s.in
}

// InterruptRead breaks a Read off; see farend.ReadInterrupter.
func (s *streams) InterruptRead() {
	// It fails for what has no deadlines, as a regular file, which nobody has to wait for.
	_ = s.in.SetReadDeadline(time.Unix(1, 0))
}

// HungUp implements farend.HangUpTeller.
func (s *streams) HungUp() bool { return pipe.HungUp(s.in) }

// limitReads makes reading from a socket fail after a time; 0 takes that back. Other streams are
// left alone.
func (s *streams) limitReads(limit time.Duration) {
	info, err := s.in.Stat()
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return
	}
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	_ = s.in.SetReadDeadline(deadline)
}

// Write writes to stdout.
func (s *streams) Write(p []byte) (int, error) { return pipe.Write(s.out, p) }

// WriteNow implements farend.ImmediateWriter.
func (s *streams) WriteNow(p []byte) int { return s.writer.WriteNow(p) }

// CloseRead closes stdin.
func (s *streams) CloseRead() error { return ignoreClosed(s.in.Close()) }

// CloseWrite closes stdout; a socket, which may be stdin as well, is shut down for writing.
func (s *streams) CloseWrite() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	shutdownWrite(s.out)
	return ignoreClosed(s.out.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// Wait returns at once: a worker knows nothing of its driver's process.
func (s *streams) Wait(context.Context) error { return nil }

// Kill closes both directions, which is all a worker can do to its driver.
func (s *streams) Kill() error { return errors.Join(s.CloseWrite(), s.CloseRead()) }

// Exit returns nothing: how the driver ends is not known.
func (s *streams) Exit() gatewaybase.Exit { return gatewaybase.Exit{} }

// RemoteAddress is empty: the worker was not given its driver's address.
func (s *streams) RemoteAddress() string { return "" }
