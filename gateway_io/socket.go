package gatewayio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/netpipe"
	"github.com/go-execnet/execnet/internal/timeout"
)

// socketTimeout bounds connecting to a socket server when the context has no earlier end.
const socketTimeout = 30 * time.Second

// dialSocket connects to a socket server at host:port, where an IPv6 address stands in brackets. It
// reports a *HostNotFoundError when the host is unknown, refuses, or does not answer before the
// deadline of ctx or within socketTimeout, and ctx's error when ctx is cancelled first.
func dialSocket(ctx context.Context, address string) (*netpipe.Pipe, error) {
	tcp, err := dialTCP(ctx, address)
	if err != nil {
		return nil, err
	}
	return netpipe.New(tcp, tcp, address, nil), nil
}

func dialTCP(ctx context.Context, address string) (*net.TCPConn, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return nil, badSocketAddress(address)
	}
	dialer := net.Dialer{Timeout: socketTimeout, KeepAliveConfig: farend.KeepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		if cancelled(ctx) {
			return nil, timeout.During(ctx, "connecting to "+address)
		}
		return nil, &HostNotFoundError{Host: address, Err: dialReason(err)}
	}
	tcp := conn.(*net.TCPConn)
	// Go does so by default; the protocol's short messages depend on it.
	if err := tcp.SetNoDelay(true); err != nil {
		tcp.Close()
		return nil, fmt.Errorf("execnet: connecting to %s: %w", address, err)
	}
	return tcp, nil
}

// cancelled reports whether ctx has ended, but not by its deadline.
func cancelled(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(timeout.Cause(ctx), timeout.Err)
}

func badSocketAddress(address string) error {
	return fmt.Errorf("execnet: %q is not the address of a socket server; write host:port, or [address]:port for IPv6", address)
}

// dialReason is why connecting failed, without the address, which HostNotFoundError names.
func dialReason(err error) error {
	var netError net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &netError) && netError.Timeout():
		return errtext.Wrap("no answer in time", timeout.Err)
	case errors.As(err, &op):
		return op.Err
	}
	return err
}
