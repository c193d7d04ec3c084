package gatewaybase

import (
	"context"
	"io"

	"github.com/go-execnet/execnet/internal/farend"
)

// IO is the byte pipe between a gateway and its far end: a subprocess, an ssh session, a socket, or
// a channel of another gateway. It is execnet's IO object (Popen2IOMaster, SocketIO, ProxyIO). A
// Gateway owns its pipe.
//
// One goroutine reads and one writes at a time. Every other method may be called at any time, from
// any goroutine, and more than once.
type IO interface {
	// Read reads as io.Reader does. It returns io.EOF when the far end has closed its side. It also
	// does, within 50 ms, when the far end's process has died while a process that it started holds
	// the pipe open.
	io.Reader
	// Write writes as io.Writer does. It may block as long as the far end does not read.
	io.Writer
	// CloseRead ends reading: a Read under way or a later one returns an error at once.
	CloseRead() error
	// CloseWrite tells the far end that nothing more comes. A Write under way or a later one
	// returns an error at once.
	CloseWrite() error
	// Wait blocks until the far end is gone and everything is released that was held for it: the
	// child is reaped, the goroutines have ended. It returns ctx's error if ctx ends first.
	Wait(ctx context.Context) error
	// Kill ends the far end by force and at once. It does not wait.
	Kill() error
	// Exit returns how the far end ended, as far as that is known by now.
	Exit() Exit
	// RemoteAddress is the far end's host as in the spec ("user@host", "host:port"), empty for a
	// local process.
	RemoteAddress() string
}

// Exit is how the far end of an IO ended: the fields Known, Code, Signal and Stderr.
type Exit = farend.Exit
