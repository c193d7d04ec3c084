//go:build unix

package prompt

import (
	"bytes"
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// retryDelay is how long the terminal is left alone when it has nothing to read.
const retryDelay = 20 * time.Millisecond

// tty is the controlling terminal. It is read without blocking, so that the end of a context can
// end a question: no system call that waits for a terminal works on every Unix.
type tty struct{ fd int }

func open() (console, error) {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return &tty{fd}, nil
}

// Close implements console.
func (t *tty) Close() error { return unix.Close(t.fd) }

// show implements console.
func (t *tty) show(text string) error {
	for rest := []byte(text); len(rest) > 0; {
		n, err := unix.Write(t.fd, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case errors.Is(err, unix.EAGAIN):
			time.Sleep(retryDelay)
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
	return nil
}

// readLine implements console.
func (t *tty) readLine(ctx context.Context, question string, echo bool) (string, error) {
	before, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return "", err
	}
	during := *before
	during.Lflag |= unix.ICANON | unix.ISIG
	during.Iflag |= unix.ICRNL
	if !echo {
		during.Lflag &^= unix.ECHO
	}
	if err := unix.IoctlSetTermios(t.fd, setTermiosFlush, &during); err != nil {
		return "", err
	}
	defer unix.IoctlSetTermios(t.fd, setTermios, before)
	if err := t.show(question); err != nil {
		return "", err
	}
	line, err := t.read(ctx)
	if !echo || err != nil {
		_ = t.show("\n") // the one that was typed is not shown
	}
	return line, err
}

// read reads a line.
func (t *tty) read(ctx context.Context) (string, error) {
	timer := time.NewTicker(retryDelay)
	defer timer.Stop()
	var line []byte
	buf := make([]byte, 1<<10)
	for {
		n, err := unix.Read(t.fd, buf)
		switch {
		case err == nil && n == 0:
			return "", errNoAnswer
		case err == nil:
			line = append(line, buf[:n]...)
			if text, _, found := bytes.Cut(line, []byte("\n")); found {
				return string(bytes.TrimSuffix(text, []byte("\r"))), nil
			}
			continue
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-timer.C:
		}
	}
}
