package gatewaybase

import (
	"context"
	"io"

	"github.com/go-execnet/execnet/internal/farend"
)

// IO is the byte pipe between a gateway and its far end: a subprocess, an ssh session, a socket, or
// a channel of another gateway. It is what execnet calls an IO object (Popen2IOMaster, SocketIO,
// ProxyIO). The rooms above make them; a Gateway owns the one it is given.
//
// One goroutine reads and one writes at a time; every other method may be called at any time from
// anywhere, and more than once.
type IO interface {
	// Read reads as io.Reader does. It returns io.EOF when the far end has closed its side, and
	// also, within 50 ms, when the far end's process has died while something it started still
	// holds the pipe open.
	io.Reader
	// Write writes as io.Writer does. It may block for as long as the far end does not read.
	io.Writer
	// CloseRead ends reading: a Read under way or a later one returns an error at once.
	CloseRead() error
	// CloseWrite tells the far end that nothing more comes. A Write under way or a later one
	// returns an error at once.
	CloseWrite() error
	// Wait blocks until the far end is gone and everything held for it here is released (the child
	// reaped, goroutines ended), or until ctx ends, whose error it then returns.
	Wait(ctx context.Context) error
	// Kill ends the far end by force and at once. It does not wait.
	Kill() error
	// Exit tells how the far end ended, as far as that is known by now.
	Exit() Exit
	// RemoteAddress names the far end's host as the spec does ("user@host", "host:port"); it is
	// empty for local ones.
	RemoteAddress() string
}

// Exit is how the far end of an IO ended: the fields Known, Code, Signal and Stderr.
type Exit = farend.Exit
