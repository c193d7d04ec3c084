package pipe

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// MostMoved is how many bytes a Passage takes at the most. A pipe has room for so many pages, two
// of which may be parts.
const MostMoved = passageSize - 2*4096

// passageSize is what Linux lets a program without rights give to a pipe.
const passageSize = 1 << 20

// Passage holds bytes on their way from one pipe to another, which the system moves and does not
// copy. It is a pipe of its own. One goroutine at a time uses it.
type Passage struct {
	in, out int // its descriptors, to be written and to be read
	held    int
}

// NewPassage returns a passage, or nil if the system has no room for one. Close ends it.
func NewPassage() *Passage {
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return nil
	}
	p := &Passage{in: fds[1], out: fds[0]}
	if _, err := unix.FcntlInt(uintptr(p.in), unix.F_SETPIPE_SZ, passageSize); err != nil {
		p.Close()
		return nil
	}
	return p
}

// Close drops what is held.
func (p *Passage) Close() {
	unix.Close(p.in)
	unix.Close(p.out)
}

// Held is how many bytes it holds.
func (p *Passage) Held() int { return p.held }

// Fill takes n bytes from a pipe, which it waits for. It reports false if it does not get them: the
// pipe has ended, was interrupted or is none, or there is no room. It holds what has come until
// then.
func (p *Passage) Fill(from *os.File, n int) bool {
	conn := nonBlocking(from)
	if conn == nil {
		return false
	}
	left := n
	_ = conn.Read(func(fd uintptr) bool {
		if _, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); err != nil {
			return true // a socket's data may come in parts that are smaller than pages
		}
		for left > 0 {
			moved, err := unix.Splice(int(fd), nil, p.in, nil, left, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
			switch {
			case err == unix.EINTR:
			case err == unix.EAGAIN:
				return !writable(p.in, 0) // if it is full there is nothing to wait for
			case err != nil || moved == 0:
				return true
			default:
				left -= int(moved)
			}
		}
		return true
	})
	p.held += n - left
	return left == 0
}

// Drain gives what is held to a pipe, as long as that goes on taking something within patience. It
// returns how many bytes that were.
func (p *Passage) Drain(to *os.File, patience time.Duration) (given int) {
	conn := nonBlocking(to)
	if conn == nil {
		return 0
	}
	_ = conn.Control(func(fd uintptr) {
		for p.held > 0 {
			moved, err := unix.Splice(p.out, nil, int(fd), nil, p.held, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
			switch {
			case err == unix.EINTR:
			case err == unix.EAGAIN && writable(int(fd), patience):
			case err != nil || moved == 0:
				return
			default:
				p.held -= int(moved)
				given += int(moved)
			}
		}
	})
	return given
}

// Take copies what is held to b, which has room for it, and holds nothing any more.
func (p *Passage) Take(b []byte) {
	for b = b[:p.held]; len(b) > 0; {
		n, err := unix.Read(p.out, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			panic("execnet: a pipe does not give back what it holds") // it cannot happen
		}
		b = b[n:]
	}
	p.held = 0
}

// writable reports whether a pipe takes something, for which it waits so long.
func writable(fd int, limit time.Duration) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(poll, int(limit.Milliseconds()))
	return err == nil && n > 0 && poll[0].Revents&unix.POLLOUT != 0
}
