package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

const (
	// acceptTimeout is how long an installed server waits for its one connection.
	acceptTimeout = time.Minute
	// closedAcceptTimeout is how long it waits after the driver has closed the channel, which the
	// driver does when it is connected, perhaps before the connection is accepted here.
	closedAcceptTimeout = 250 * time.Millisecond
)

// serveReferenceSocket is execnet's script.socketserver where it is executed by a worker
// (protocol.md section 7.7). Its driver closes the channel before it connects, so only the timeout
// ends the waiting; execnet's own server waits without a limit.
func (n *Natives) serveReferenceSocket(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
	return n.serveOne(ctx, ch, "tcp4", false)
}

// serveSocket is gateway_io/socketserver.py, whose driver holds the channel until it is connected.
func (n *Natives) serveSocket(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
	return n.serveOne(ctx, ch, "tcp", true)
}

// serveOne listens where the driver says, tells where that is, and gives the first connection to a
// worker of its own. As execnet's it ends with that worker.
func (n *Natives) serveOne(ctx context.Context, ch *gatewaybase.Channel, network string, endsWithChannel bool) error {
	item, err := ch.Receive(ctx)
	if err != nil {
		return err
	}
	address, err := listenAddress(item)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, network, address)
	if err != nil {
		return fmt.Errorf("OSError: %w", err)
	}
	defer listener.Close()
	server := listener.(*net.TCPListener)
	bound := server.Addr().(*net.TCPAddr)
	if err := ch.Send(ctx, serializer.Tuple{bound.IP.String(), bound.Port}); err != nil {
		return err
	}
	conn, err := acceptOne(ctx, server, ch, endsWithChannel)
	if conn == nil {
		return err
	}
	listener.Close()
	err = n.Worker.ServeConn(ctx, conn)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// listenAddress reads (host, port), or "host:port", which execnet's server takes as well.
func listenAddress(item any) (string, error) {
	switch item := item.(type) {
	case string:
		return item, nil
	case serializer.Tuple:
		if len(item) != 2 {
			break
		}
		host, isText := text(item[0])
		port, isInt := item[1].(int64)
		if isText && isInt && port >= 0 && port <= 0xffff {
			return net.JoinHostPort(host, strconv.FormatInt(port, 10)), nil
		}
	}
	return "", expect("(host, port)", item)
}

// acceptOne returns the first connection, or nil when nobody connects in time.
func acceptOne(ctx context.Context, server *net.TCPListener, ch *gatewaybase.Channel, endsWithChannel bool) (net.Conn, error) {
	waiting, accepted := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer accepted()
	// A deadline fails on a closed listener only.
	_ = server.SetDeadline(time.Now().Add(acceptTimeout))
	watching.Go(func() {
		if endsWithChannel {
			_ = ch.WaitClose(waiting) // however it ends
			if waiting.Err() == nil {
				_ = server.SetDeadline(time.Now().Add(closedAcceptTimeout))
			}
		}
		<-waiting.Done()
		_ = server.SetDeadline(time.Unix(1, 0))
	})
	conn, err := server.Accept()
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil, nil
	}
	return conn, err
}
