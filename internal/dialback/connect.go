package dialback

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/netpipe"
)

// connectTime is how long a worker tries to connect, and how long it waits for the answer.
const connectTime = time.Minute

// errNoVariable is the error of a worker that nothing leads to its driver.
var errNoVariable = errors.New("execnet: the variable " + variable + " is not set: the launcher has to hand its environment on " +
	"(with mpirun: -x " + variable + ")")

// Connect connects to the driver that the environment names, and returns the pipe to it when the
// driver has taken this worker. The variable is removed, so that programs which the worker starts
// do not know the secret. The errors say what to do about it.
func Connect(ctx context.Context) (*netpipe.Pipe, error) {
	parts := strings.Split(os.Getenv(variable), ",")
	if len(parts) != 3 {
		return nil, errNoVariable
	}
	os.Unsetenv(variable)
	pipe, err := connect(ctx, parts[0], parts[1], parts[2])
	if err != nil {
		host, _ := os.Hostname() // without it the text says less
		return nil, errtext.Wrap("a worker on "+cmp.Or(host, "a host without a name"), err)
	}
	return pipe, nil
}

func connect(ctx context.Context, address, fingerprint, secret string) (*netpipe.Pipe, error) {
	dialer := net.Dialer{Timeout: connectTime, KeepAliveConfig: farend.KeepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		hint := ""
		if isLoopback(address) {
			hint = "; perhaps it waits for no more workers, and that address leads to this machine: if the driver runs on another one, write listen=ADDRESS in the spec"
		}
		return nil, fmt.Errorf("cannot connect to the driver at %s: %w%s", address, networkReason(err), hint)
	}
	tcp := conn.(*net.TCPConn)
	secure := tls.Client(&netpipe.Transport{TCPConn: tcp}, &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Names and authorities mean nothing here: it is this one certificate or none.
		InsecureSkipVerify: true,
		VerifyPeerCertificate: func(certificates [][]byte, _ [][]*x509.Certificate) error {
			if len(certificates) == 0 || subtle.ConstantTimeCompare([]byte(fingerprintOf(certificates[0])), []byte(fingerprint)) != 1 {
				return fmt.Errorf("what listens at %s is not the driver: it has another certificate", address)
			}
			return nil
		},
	})
	if err := introduce(ctx, secure, secret); err != nil {
		tcp.Close()
		return nil, err
	}
	return netpipe.New(tcp, secure, address, nil), nil
}

// networkReason is why listening or connecting failed, without the address.
func networkReason(err error) error {
	if op := new(net.OpError); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// introduce says the secret, the rank and the node, and waits until the driver takes this worker.
func introduce(ctx context.Context, conn *tls.Conn, secret string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	answer := ""
	_, err := fmt.Fprintf(conn, "%s %s %s %s\n", greeting, secret, ownRank(), cmp.Or(os.Getenv(nodeVariable), unknown))
	if err == nil {
		answer, err = readLine(conn, longestAnswer)
	}
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the driver does not take it: it closed the connection")
	case err != nil:
		return fmt.Errorf("the driver has not answered: %w", err)
	case !strings.HasPrefix(answer, accepted):
		return errors.New("the driver does not take it: " + strings.TrimPrefix(answer, refused))
	}
	return nil
}

// ownRank is the rank of this process as the launcher has set it, or unknown.
func ownRank() string {
	for _, name := range rankVariables {
		if rank, err := strconv.ParseUint(os.Getenv(name), 10, 31); err == nil {
			return strconv.FormatUint(rank, 10)
		}
	}
	return unknown
}

// readLine reads a line of at most so many bytes, and nothing behind it. It returns the line
// without its end.
func readLine(r io.Reader, most int) (string, error) {
	line := make([]byte, 0, most)
	for len(line) < most {
		n, err := r.Read(line[len(line) : len(line)+1])
		if line = line[:len(line)+n]; n > 0 && line[len(line)-1] == '\n' {
			return string(line[:len(line)-1]), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("the line is too long")
}

func fingerprintOf(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}
