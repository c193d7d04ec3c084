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

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
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

func exitOf(state *os.ProcessState) gatewaybase.Exit {
	exit := gatewaybase.Exit{Known: true, Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// signalName is a signal's name as ssh has it, without SIG.
func signalName(signal os.Signal) string {
	number, _ := signal.(syscall.Signal)
	return strings.TrimPrefix(unix.SignalName(number), "SIG")
}

// checkOwner refuses a file that others than this user and root can change, and one whose folder
// they can.
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

// checkSecret refuses a file that others can read.
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
