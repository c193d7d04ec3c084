package gatewayio

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
	"syscall"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/netpipe"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// TLSError says that a socket server was reached, but not over TLS as the spec asks: it does not
// speak TLS, its certificate is not accepted here, or it does not accept ours. The last is known
// only once something is read from it. Use errors.As with a *TLSError.
type TLSError struct {
	// Address is the server's host:port.
	Address string
	// Problem says what is wrong and what may help.
	Problem string
	// Err is the cause. errors.As finds the errors of crypto/tls and crypto/x509 in it, errors.Is
	// gatewaybase.ErrTimeout for a server that says nothing.
	Err error
}

func (e *TLSError) Error() string {
	return fmt.Sprintf("execnet: TLS with %s failed: %s: %s", e.Address, e.Problem, errtext.Of(e.Err))
}

// Unwrap returns the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// openSocket connects to the socket server of a spec, over TLS if that is what it says. Its errors
// are those of dialSocket, a *TLSError, or say which file of the spec cannot be used.
func openSocket(ctx context.Context, spec *xspec.Spec) (gatewaybase.IO, error) {
	if !spec.UsesTLS() {
		return pipe(dialSocket(ctx, spec.Socket))
	}
	config, err := tlsConfig(spec)
	if err != nil {
		return nil, err
	}
	tcp, err := dialTCP(ctx, spec.Socket)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(&netpipe.Transport{TCPConn: tcp}, config)
	handshaking, cancel := context.WithTimeout(ctx, socketTimeout)
	defer cancel()
	if err := secure.HandshakeContext(handshaking); err != nil {
		tcp.Close()
		if cancelled(ctx) {
			return nil, timeout.During(ctx, "connecting to "+spec.Socket)
		}
		return nil, tlsError(spec.Socket, config.ServerName, err)
	}
	return netpipe.New(tcp, secure, spec.Socket, func(err error) error { return tlsAlert(spec.Socket, err) }), nil
}

// tlsConfig reads the files of a spec.
func tlsConfig(spec *xspec.Spec) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(spec.Socket)
	if err != nil {
		return nil, badSocketAddress(spec.Socket)
	}
	config := &tls.Config{ServerName: cmp.Or(spec.TLSName, host)}
	if spec.TLSCA != "" {
		pem, err := os.ReadFile(spec.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("execnet: tls_ca=%s: %w", spec.TLSCA, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("execnet: tls_ca=%s: there is no certificate in it", spec.TLSCA)
		}
	}
	if spec.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(spec.TLSCert, spec.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("execnet: tls_cert=%s with tls_key=%s: %w", spec.TLSCert, spec.TLSKey, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// tlsError explains a handshake that failed.
func tlsError(address, name string, err error) *TLSError {
	e := &TLSError{Address: address, Err: err}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var netError net.Error
	switch {
	case isAlert(err):
		return alertError(address, err)
	case errors.As(err, &authority):
		e.Problem = "its certificate comes from an authority that is not trusted here; name the authority's file with tls_ca=FILE"
	case errors.As(err, &host):
		e.Problem = fmt.Sprintf("its certificate is not for %s; write the name that it is for as tls_name=NAME", name)
	case errors.As(err, &certificate):
		e.Problem = "its certificate is not valid"
	case errors.As(err, &record):
		e.Problem = "it does not speak TLS"
	case errors.As(err, &netError) && netError.Timeout():
		e.Problem = "it does not answer; perhaps it does not speak TLS"
		e.Err = timeout.Err
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		e.Problem = "it closed the connection; perhaps it does not speak TLS"
	default:
		e.Problem = "the server and this client do not agree on the terms of the connection"
	}
	return e
}

// isAlert reports whether err is an alert that the TLS server sent.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

func alertError(address string, err error) *TLSError {
	return &TLSError{
		Address: address, Err: err,
		Problem: "the server refuses; if it asks for a certificate, give one that it trusts with tls_cert=FILE//tls_key=FILE",
	}
}

// tlsAlert turns an alert of the server into a *TLSError: that it wants another certificate, or
// any, may come as late as the first read.
func tlsAlert(address string, err error) error {
	if isAlert(err) {
		return alertError(address, err)
	}
	return err
}
