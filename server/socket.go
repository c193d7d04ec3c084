package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
)

// Socket is a socket server: each driver that connects gets a worker. Without TLS there is neither
// encryption nor authentication, so that everybody who can connect can execute anything. With a TLS
// whose ClientAuth is tls.RequireAndVerifyClientCert only those with a certificate can. It differs
// from execnet's script ([protocol.md section 7.7]) in that it serves many connections at once,
// each in a process of its own, and closes the connections of clients that are not drivers.
//
// [protocol.md section 7.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#77-socket-servers
type Socket struct {
	// Command is the worker: a Go worker, because drivers that come over a socket do not send what
	// a bare Python interpreter could execute.
	Command Command
	// Once makes the server stop listening when its first worker starts, and end when that ends.
	Once bool
	// TLS is the server's side of TLS; nil means plain connections. See [TLSConfig].
	TLS *tls.Config
	// MaxConns is how many connections there can be at once; 0 means 1000. Further ones
	// are closed.
	MaxConns int
	// Log gets a line for the start and the end of each worker, and for each refused connection;
	// nil discards them.
	Log io.Writer
}

// Serve accepts the listener's connections, and closes the listener at the end. When ctx ends,
// Serve ends the workers as [Command.ServeConn] does and returns ctx's cause. When the listener is
// closed by another goroutine, or the worker of Once has started, Serve returns nil as soon as the
// workers have ended. A connection or a worker that fails only makes a line in the log. So does an
// error of accepting, after which Serve tries again.
func (s Socket) Serve(ctx context.Context, listener net.Listener) error {
	log := newEventLog(s.Log)
	defer log.outlet.FlushSoon()
	greeting, enough := context.WithCancel(ctx)
	defer enough()
	var taken atomic.Bool
	return accept(ctx, listener, cmp.Or(s.MaxConns, defaultMaxConns), log, func(conn net.Conn) {
		if s.TLS != nil {
			conn = tls.Server(conn, s.TLS)
		}
		defer conn.Close()
		ahead, err := awaitFirstLine(greeting, conn)
		if err != nil {
			if greeting.Err() == nil {
				log.printf("%v: refused: %s", conn.RemoteAddr(), errtext.Of(err))
			}
			return
		}
		if s.Once {
			if taken.Swap(true) {
				return
			}
			listener.Close()
			enough()
		}
		s.work(ctx, conn, ahead, log)
	})
}

// work runs a worker for a connection until both have ended.
func (s Socket) work(ctx context.Context, conn net.Conn, ahead []byte, log *eventLog) {
	pid, begin := 0, time.Now()
	exit, err := s.Command.run(ctx, conn, ahead, func(started int) {
		pid = started
		log.printf("%v: worker %d started%s", conn.RemoteAddr(), pid, client(conn))
	})
	if err != nil {
		log.printf("%v: no worker: %s", conn.RemoteAddr(), errtext.Of(err))
		return
	}
	log.printf("%v: worker %d ended after %v%v", conn.RemoteAddr(), pid, time.Since(begin).Round(time.Millisecond), exit)
}

// client says whose certificate the client has shown, if it has shown one.
func client(conn net.Conn) string {
	if secure, ok := conn.(*tls.Conn); ok {
		if shown := secure.ConnectionState().PeerCertificates; len(shown) > 0 {
			return fmt.Sprintf(" for %q", shown[0].Subject)
		}
	}
	return ""
}

// TLSConfig reads what a [Socket] needs for TLS from PEM files: its certificate, followed by the
// intermediate ones, and the certificate's key. If clientCA is not empty, drivers must show a
// certificate that one of the authorities in that file has issued; otherwise anyone may connect.
// The version is TLS 1.3, since drivers that speak TLS are all of this module.
func TLSConfig(certificate, key, clientCA string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, errtext.Wrap("cannot use the certificate "+certificate+" with the key "+key, err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	if clientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return nil, errtext.Wrap("cannot read the authorities of clients", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("execnet: there is no certificate of an authority in " + clientCA)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
