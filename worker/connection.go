package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/go-execnet/execnet/internal/netpipe"
)

// connection is the wire of a worker that has connected to its driver.
type connection struct {
	*netpipe.Pipe
	ahead io.Reader // what was read already; nil if nothing was

	watching sync.Once
	gone     chan struct{} // closed when the driver has closed the connection
}

func newConnection(pipe *netpipe.Pipe) *connection {
	return &connection{Pipe: pipe, gone: make(chan struct{})}
}

// limitReads implements wire. The driver is known, and its first line may take its time: a gateway
// may be made when other workers have come.
func (c *connection) limitReads(time.Duration) {}

// readFirst implements wire.
func (c *connection) readFirst(ahead io.Reader) { c.ahead = ahead }

// Read implements gatewaybase.IO.
func (c *connection) Read(p []byte) (int, error) {
	if c.ahead != nil {
		if n, err := c.ahead.Read(p); n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		c.ahead = nil
	}
	n, err := c.Pipe.Read(p)
	exitIfReset(err)
	return n, err
}

// CloseRead leaves the connection open: one that is closed before it is read out is reset, and the
// driver may not see the last of what was sent.
func (c *connection) CloseRead() error { return nil }

// Wait returns at once: a worker knows nothing of its driver's process.
func (c *connection) Wait(context.Context) error { return nil }

// watch waits for the driver's end of the connection, when the gateway reads no more. The worker's
// end may still take its time.
func (c *connection) watch() {
	c.watching.Do(func() {
		go func() {
			defer close(c.gone)
			exitIfReset(c.Drain())
		}()
	})
}

// leaveTime is how long the driver may take to close the connection.
const leaveTime = 10 * time.Second

// leave waits until the driver has taken everything.
func (c *connection) leave() {
	timer := time.AfterFunc(leaveTime, func() { _ = c.Kill() })
	defer timer.Stop()
	_ = c.CloseWrite()
	c.watch()
	<-c.gone
}

// exitIfReset ends this process when the driver has reset the connection: so it kills its worker.
func exitIfReset(err error) {
	if errors.Is(err, syscall.ECONNRESET) {
		os.Exit(exitFailed)
	}
}
