//go:build unix

package gatewayio

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
	"github.com/go-execnet/execnet/xspec"
)

// answering starts a server that does something with its connections until the test ends, and
// returns its address.
func answering(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			running.Go(func() {
				do(conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().String()
}

// echoing answers over TLS with what it gets, then tells the end.
func echoing(t *testing.T, config *tls.Config) string {
	return answering(t, func(conn net.Conn) {
		secure := tls.Server(conn, config)
		_, _ = io.Copy(secure, secure)
		_ = secure.CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	})
}

func openSpec(t *testing.T, text string) (gatewaybase.IO, error) {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	require.NoError(t, spec.Validate())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := openSocket(ctx, spec)
	if err == nil {
		t.Cleanup(func() { assert.NoError(t, s.Kill()) })
	}
	return s, err
}

func TestOpenSocketTLS(t *testing.T) {
	ca := tlstest.NewAuthority(t)
	certificate, key := ca.IssueFiles(t, "alice")
	address := echoing(t, &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(t, "127.0.0.1")}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	})
	s, err := openSpec(t, "socket="+address+"//tls_ca="+ca.File+"//tls_cert="+certificate+"//tls_key="+key)
	require.NoError(t, err)
	assert.Equal(t, address, s.RemoteAddress())
	_, err = s.Write([]byte("ping"))
	require.NoError(t, err)
	require.NoError(t, s.CloseWrite())
	require.NoError(t, s.CloseWrite())
	got, err := io.ReadAll(s)
	require.NoError(t, err, "each side tells its end")
	assert.Equal(t, "ping", string(got))
	_, err = s.Write([]byte("more"))
	assert.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, s.CloseRead())
	require.NoError(t, s.Wait(t.Context()))
}

func TestOpenSocketTLSFreesWhoIsBlocked(t *testing.T) {
	ca := tlstest.NewAuthority(t)
	stop := make(chan struct{})
	defer close(stop) // before the clean-ups, of which the server's waits for it
	address := answering(t, func(conn net.Conn) {
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "box")}}).Handshake()
		<-stop
	})
	s, err := openSpec(t, "socket="+address+"//tls_name=box//tls_ca="+ca.File)
	require.NoError(t, err)
	errs := make(chan error, 1)
	go func() {
		for {
			if _, err := s.Write(make([]byte, 1<<20)); err != nil {
				errs <- err
				return
			}
		}
	}()
	read := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		read <- err
	}()
	// Until the buffers are full; if they are not yet, CloseWrite has less to do
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	require.NoError(t, s.CloseWrite())
	assert.ErrorIs(t, <-errs, net.ErrClosed)
	require.NoError(t, s.CloseRead())
	assert.Less(t, time.Since(begin), 4*time.Second, "nothing can follow the write that was interrupted")
	assert.ErrorIs(t, <-read, net.ErrClosed)
	require.NoError(t, s.Wait(t.Context()))
}

func TestOpenSocketTLSErrors(t *testing.T) {
	ca, other := tlstest.NewAuthority(t), tlstest.NewAuthority(t)
	trusting := "//tls_ca=" + ca.File
	address := echoing(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "127.0.0.1")}})

	fails := func(text, says string, targets ...any) {
		t.Helper()
		_, err := openSpec(t, text)
		var failed *TLSError
		require.ErrorAs(t, err, &failed)
		assert.ErrorContains(t, err, says)
		for _, target := range targets {
			assert.ErrorAs(t, err, target)
		}
	}
	fails("socket="+address+"//tls", "tls_ca=FILE", new(x509.UnknownAuthorityError))
	fails("socket="+address+"//tls_ca="+other.File, "tls_ca=FILE", new(x509.UnknownAuthorityError))
	fails("socket="+address+"//tls_name=box"+trusting, "not for box; write", new(x509.HostnameError))
	hangsUp := answering(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })
	fails("socket="+hangsUp+"//tls", "closed the connection; perhaps it does not speak TLS")
	plain := answering(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "1 hello") })
	fails("socket="+plain+"//tls", "does not speak TLS", new(tls.RecordHeaderError))

	stop := make(chan struct{})
	defer close(stop) // before the clean-ups, of which the server's waits for it
	silent := answering(t, func(net.Conn) { <-stop })
	spec, err := xspec.Parse("socket=" + silent + "//tls")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = openSocket(ctx, spec)
	var failed *TLSError
	require.ErrorAs(t, err, &failed)
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	cancelled, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = openSocket(cancelled, spec)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOpenSocketTLSWantsCertificate(t *testing.T) {
	ca, other := tlstest.NewAuthority(t), tlstest.NewAuthority(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address := echoing(t, &tls.Config{
			Certificates: []tls.Certificate{ca.Issue(t, "127.0.0.1")}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: version,
		})
		certificate, key := other.IssueFiles(t, "mallory")
		for _, extra := range []string{"", "//tls_cert=" + certificate + "//tls_key=" + key} {
			s, err := openSpec(t, "socket="+address+"//tls_ca="+ca.File+extra)
			if err == nil {
				// With TLS 1.3 a client is done before the server has looked at its certificate
				_, err = s.Read(make([]byte, 1))
			}
			var failed *TLSError
			require.ErrorAs(t, err, &failed)
			assert.ErrorContains(t, err, "tls_cert=FILE//tls_key=FILE")
		}
	}
}

func TestOpenSocketFiles(t *testing.T) {
	ca := tlstest.NewAuthority(t)
	certificate, key := ca.IssueFiles(t, "alice")
	for text, says := range map[string]string{
		"//tls_ca=" + ca.File + "none":                       "tls_ca=" + ca.File + "none: open",
		"//tls_ca=" + key:                                    "there is no certificate in it",
		"//tls_cert=" + certificate + "//tls_key=" + ca.File: "tls_key=" + ca.File,
	} {
		_, err := openSpec(t, "socket=127.0.0.1:1"+text)
		assert.ErrorContains(t, err, says)
	}
	_, err := openSpec(t, "socket=127.0.0.1//tls")
	assert.ErrorContains(t, err, "host:port")
	_, err = openSpec(t, "socket=127.0.0.1:1//tls")
	var notFound *HostNotFoundError
	assert.ErrorAs(t, err, &notFound)
}
