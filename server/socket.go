package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// Socket is a socket server: whoever connects gets a worker. Without TLS there is neither
// encryption nor authentication, so whoever can connect can execute what they like; with a TLS
// whose ClientAuth is tls.RequireAndVerifyClientCert only who has a certificate can. It differs
// from execnet's script (protocol.md section 7.7) in serving many connections at once, each in a
// process of its own, and in ignoring whatever is no driver.
type Socket struct {
	// Command is the worker.
	Command Command
	// Once ends the server with its first worker; it stops listening when that starts.
	Once bool
	// TLS is the server's side of TLS; nil means plain connections. See TLSConfig.
	TLS *tls.Config
	// MaxConns is how many connections there can be at once; 0 means DefaultMaxConns. Further ones
	// are closed.
	MaxConns int
	// Log gets a line for the start and the end of each worker, and for what was refused; nil
	// discards them.
	Log io.Writer
}

// Serve accepts the listener's connections, and closes it. When ctx ends, it ends the workers as
// Command.ServeConn does and returns ctx's error. When somebody else closes the listener, or the
// worker of Once has started, it returns nil once the workers have ended. A connection that fails,
// or a worker, is a matter of the log. So is an error of accepting, which is tried again.
func (s Socket) Serve(ctx context.Context, listener net.Listener) error {
	log := &eventLog{w: s.Log}
	greeting, enough := context.WithCancel(ctx)
	defer enough()
	var taken atomic.Bool
	return accept(ctx, listener, cmp.Or(s.MaxConns, DefaultMaxConns), log, func(conn net.Conn) {
		if s.TLS != nil {
			conn = tls.Server(conn, s.TLS)
		}
		defer conn.Close()
		ahead, err := greet(greeting, conn)
		if err != nil {
			if greeting.Err() == nil {
				log.printf("%v: refused: %v", conn.RemoteAddr(), err)
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

// work sees a connection and its worker to their end.
func (s Socket) work(ctx context.Context, conn net.Conn, ahead []byte, log *eventLog) {
	pid, begin := 0, time.Now()
	exit, err := s.Command.run(ctx, conn, ahead, func(started int) {
		pid = started
		log.printf("%v: worker %d started%s", conn.RemoteAddr(), pid, client(conn))
	})
	if err != nil {
		log.printf("%v: no worker: %v", conn.RemoteAddr(), err)
		return
	}
	log.printf("%v: worker %d ended after %v: %s", conn.RemoteAddr(), pid, time.Since(begin).Round(time.Millisecond), exitText(exit))
}

// client names who has shown a certificate.
func client(conn net.Conn) string {
	if secure, ok := conn.(*tls.Conn); ok {
		if shown := secure.ConnectionState().PeerCertificates; len(shown) > 0 {
			return fmt.Sprintf(" for %q", shown[0].Subject)
		}
	}
	return ""
}

// TLSConfig reads what a Socket needs for TLS from PEM files: its certificate, with the
// intermediate ones behind it, and the certificate's key. With a clientCA, drivers have to show a
// certificate that one of the authorities in that file has issued; without, anyone may connect.
// Both sides are of this module, so that TLS 1.3 can be asked for.
func TLSConfig(certificate, key, clientCA string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w", certificate, key, err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	if clientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities of clients: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("there is no certificate of an authority in %s", clientCA)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
