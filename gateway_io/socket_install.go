package gatewayio

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strconv"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/serializer"
)

//go:embed socketserver.py
var socketServerSource string

// installSocket starts a socket server behind gw and connects to it. The server listens on a free
// port of its host's loopback, so gw has to run on this machine, and takes this one connection; the
// gateway that is made of it runs in gw's interpreter. It is what execnet does for
// socket//installvia=ID.
func installSocket(ctx context.Context, gw *gatewaybase.Gateway) (gatewaybase.IO, error) {
	address, server, err := startSocketServer(ctx, gw)
	if err != nil {
		return nil, errtext.Wrap("cannot start a socket server through gateway "+gw.ID(), err)
	}
	s, err := dialSocket(ctx, address)
	if err != nil {
		_ = server.Close() // it stops listening then
		var unreachable *HostNotFoundError
		if gw.RemoteAddress() != "" && errors.As(err, &unreachable) {
			unreachable.Err = fmt.Errorf("%w (the server of gateway %s listens on the loopback of %s only)",
				unreachable.Err, gw.ID(), gw.RemoteAddress())
		}
		return nil, err
	}
	return s, nil
}

// startSocketServer returns the address of a server that listens, and the channel of its execution.
func startSocketServer(ctx context.Context, gw *gatewaybase.Gateway) (string, *gatewaybase.Channel, error) {
	ch, err := gw.RemoteExec(ctx, socketServerSource, gatewaybase.File("<execnet socketserver>", 1))
	if err != nil {
		return "", nil, err
	}
	var bound serializer.Tuple
	// The gateway may have another string configuration.
	err = ch.Reconfigure(ctx, gatewaybase.StrConfig{Py2StrAsPy3Str: true})
	if err == nil {
		err = ch.Send(ctx, serializer.Tuple{"127.0.0.1", 0})
	}
	if err == nil {
		err = ch.ReceiveInto(ctx, &bound)
	}
	if err != nil {
		_ = ch.Close() // the error is the first one
		return "", nil, err
	}
	if len(bound) == 2 {
		host, okHost := bound[0].(string)
		port, okPort := bound[1].(int64)
		if okHost && okPort {
			return net.JoinHostPort(host, strconv.FormatInt(port, 10)), ch, nil
		}
	}
	_ = ch.Close()
	return "", nil, fmt.Errorf("it answered %v instead of its address", bound)
}
