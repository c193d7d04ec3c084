//go:build unix

package server

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// canHandOver tells whether a process can have a socket as its stdin and stdout.
const canHandOver = true

// How long to wait before peeking at a line again that has arrived in part. Peeked bytes stay in
// the socket, so waiting for readability would return at once.
const (
	firstPeekPause = 2 * time.Millisecond
	lastPeekPause  = 200 * time.Millisecond
)

// peek waits for the first bytes of conn and returns them without reading them from the socket.
func peek(ctx context.Context, conn fileConn) ([]byte, error) {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, firstLineBytes)
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
		seen = max(seen, n) // n is 0 if the deadline has passed
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

// signalName returns a signal's name as ssh sends it, without SIG.
func signalName(signal os.Signal) string {
	number, _ := signal.(syscall.Signal)
	return strings.TrimPrefix(unix.SignalName(number), "SIG")
}

// checkOwner returns an error if others than this user and root can change the file or its folder.
func checkOwner(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", file.Name())
	}
	real, err := filepath.EvalSymlinks(file.Name())
	if err != nil {
		return err
	}
	folder, err := os.Stat(filepath.Dir(real))
	if err != nil {
		return err
	}
	for _, info := range []os.FileInfo{info, folder} {
		owner := info.Sys().(*syscall.Stat_t).Uid
		if owner != 0 && int(owner) != os.Geteuid() {
			return fmt.Errorf("%s is not trusted: it or its folder belongs to another user", file.Name())
		}
		if info.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%s is not trusted: others can write to it or its folder; run chmod go-w on both", file.Name())
		}
	}
	return nil
}

// checkSecret returns an error if others can read the file.
func checkSecret(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not trusted: others can read it; run chmod 600 on it, or remove it for a new one", file.Name())
	}
	return nil
}
