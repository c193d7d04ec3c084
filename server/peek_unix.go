//go:build unix

package server

import (
	"context"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// canHandOver says whether a process can have a socket as its stdin and stdout.
const canHandOver = true

// How often a line is looked at that comes in pieces: looking takes nothing away, so that nothing
// tells when more is there.
const (
	firstPeekPause = 2 * time.Millisecond
	lastPeekPause  = 200 * time.Millisecond
)

// peek waits for a connection's first bytes, and leaves them there.
func peek(ctx context.Context, conn handle) ([]byte, error) {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, greetingBytes)
	seen := 0
	for pause := firstPeekPause; ; pause = min(2*pause, lastPeekPause) {
		var n int
		var peekErr error
		err := raw.Read(func(fd uintptr) bool {
			for {
				n, _, peekErr = unix.Recvfrom(int(fd), buf, unix.MSG_PEEK)
				if peekErr != unix.EINTR {
					return peekErr != unix.EAGAIN
				}
			}
		})
		if err == nil {
			err = peekErr
		}
		seen = max(seen, n) // a deadline that is over makes n useless
		switch {
		case err == nil && n == 0:
			return buf[:seen], io.EOF
		case err != nil || enough(buf[:seen]):
			return buf[:seen], err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return buf[:seen], context.Cause(ctx)
		}
	}
}
