// Package pipes connects gateways of one process, for tests: both ends of a pair of kernel pipes,
// in the shape of gatewaybase.IO.
package pipes

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
)

// End is one end of a connection. There is no process behind it, so nothing is waited for.
type End struct {
	in   io.Reader // what is read: r, possibly with something before it
	r, w *os.File
	// Result is what Exit returns.
	Result farend.Exit
}

// Interruptible is an End whose Read can be interrupted and, but on Windows, its Write.
type Interruptible struct{ End }

// InterruptRead implements farend.ReadInterrupter.
func (e *Interruptible) InterruptRead() { _ = e.r.SetReadDeadline(time.Unix(1, 0)) }

// Pair returns two ends that are connected.
func Pair(t testing.TB) (a, b *Interruptible) {
	t.Helper()
	ar, bw, err := newPipe()
	if err != nil {
		t.Fatal(err)
	}
	br, aw, err := newPipe()
	if err != nil {
		t.Fatal(err)
	}
	return &Interruptible{*Of(ar, ar, aw)}, &Interruptible{*Of(br, br, bw)}
}

// Of makes an end of a file to read and a file to write. in reads r, possibly with something before
// it. Its Read cannot be interrupted, since the files may be of any kind.
func Of(in io.Reader, r, w *os.File) *End { return &End{in: in, r: r, w: w} }

// HungUp implements farend.HangUpTeller.
func (e *End) HungUp() bool { return pipe.HungUp(e.r) }

// ReadFile implements farend.FileReader.
func (e *End) ReadFile() *os.File {
	if e.in != io.Reader(e.r) {
		return nil
	}
	return e.r
}

// WriteFile implements farend.FileWriter.
func (e *End) WriteFile() *os.File { return e.w }

// Read implements gatewaybase.IO.
func (e *End) Read(b []byte) (int, error) {
	n, err := e.in.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = e.r.SetReadDeadline(time.Time{}) // a pipe has deadlines
		return n, farend.ErrReadInterrupted
	}
	return n, err
}

// Write implements gatewaybase.IO.
func (e *End) Write(b []byte) (int, error) { return pipe.Write(e.w, b) }

// CloseRead implements gatewaybase.IO.
func (e *End) CloseRead() error { return e.r.Close() }

// CloseWrite implements gatewaybase.IO.
func (e *End) CloseWrite() error { return e.w.Close() }

// Kill does nothing: there is no process.
func (e *End) Kill() error { return nil }

// Wait returns at once.
func (e *End) Wait(context.Context) error { return nil }

// Exit returns Result.
func (e *End) Exit() farend.Exit { return e.Result }

// RemoteAddress is empty.
func (e *End) RemoteAddress() string { return "" }
