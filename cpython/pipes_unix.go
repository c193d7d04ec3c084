//go:build unix

package cpython

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-execnet/execnet/internal/pipe"
)

// toRead makes a pipe whose reads keep a thread. If Go's poller waited for what comes, each call
// would wake the thread that polls, and that one this goroutine, which takes longer than the call.
//
// Nothing but a byte ends such a read, since Close does not, and a child that a program has forked
// keeps the pipe open when the interpreter is gone. So this process has an end to write to as well.
func toRead() (ours, theirs *os.File, wake func(), err error) {
	r, theirs, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	defer r.Close()
	pipe.Grow(r)
	ours, err = unpolled(r)
	var own *os.File
	if err == nil {
		if own, err = unpolled(theirs); err != nil {
			ours.Close()
		}
	}
	if err != nil {
		theirs.Close()
		return nil, nil, nil, err
	}
	return ours, theirs, func() {
		// If the pipe is full, no read waits.
		if conn, err := own.SyscallConn(); err == nil {
			_ = conn.Control(func(fd uintptr) {
				poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
				if n, err := unix.Poll(poll, 0); err == nil && n > 0 {
					_, _ = unix.Write(int(fd), []byte{0})
				}
			})
		}
		own.Close()
	}, nil
}

// unpolled is another file for an end of a pipe. It blocks, and Go's poller knows nothing of it.
func unpolled(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if e := conn.Control(func(end uintptr) { fd, err = unix.FcntlInt(end, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		return nil, e
	}
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// arguments are the descriptors that the interpreter inherits, and the inodes of the pipes: what
// starts the interpreter may have closed the descriptors.
func (p pipes) arguments() string {
	return fmt.Sprintf("3, 4, [%d, %d]", inode(p.read), inode(p.write))
}

func inode(f *os.File) uint64 {
	var stat unix.Stat_t
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.Fstat(int(fd), &stat) })
	}
	return uint64(stat.Ino)
}

// takeDescriptor is Python source that makes an inherited file, which has the descriptor from
// there, the descriptor to.
func takeDescriptor(from int, f *os.File, to int) string {
	return fmt.Sprintf(`
try:
    if os.fstat(%[1]d).st_ino == %[2]d:
        os.dup2(%[1]d, %[3]d)
        os.close(%[1]d)
except OSError:
    pass  # what has started the interpreter has closed it
`, from, inode(f), to)
}
