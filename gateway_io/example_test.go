package gatewayio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/multi"
)

// A program with a terminal asks for passphrases and passwords there.
func ExampleSSHOptions() {
	ask := func(question string) ([]byte, error) {
		fmt.Fprint(os.Stderr, question+": ")
		defer fmt.Fprintln(os.Stderr)
		return term.ReadPassword(int(os.Stdin.Fd()))
	}
	group := multi.NewGroup()
	group.SSH = gatewayio.SSHOptions{
		Passphrase: func(file string) ([]byte, error) { return ask("passphrase of " + file) },
		Password: func(user, host string) (string, error) {
			password, err := ask("password of " + user + " on " + host)
			return string(password), err
		},
		ConnectTimeout: 5 * time.Second,
	}
	ctx := context.Background()
	defer group.Terminate(ctx)

	gw, err := group.MakeGateway(ctx, "ssh=me@build.example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(gw.RemoteAddress())
}

// What went wrong on the way to a host tells which advice to print.
func Example_errors() {
	ctx := context.Background()
	group := multi.NewGroup()
	defer group.Terminate(ctx)

	for _, spec := range []string{
		"ssh=-p 1 localhost//ssh_config=none", // nothing listens there
		"ssh=-X localhost//ssh_config=none",
		"popen//python=no-such-python",
	} {
		_, err := group.MakeGateway(ctx, spec)
		fmt.Println(advice(err))
	}
	// Output:
	// localhost:1 cannot be reached
	// the option -X: use sshclient=openssh
	// no-such-python cannot be run (python= in the spec)
}

func advice(err error) string {
	var noHost *gatewayio.HostNotFoundError
	var hostKey *gatewayio.HostKeyError
	var refused *gatewayio.SSHAuthError
	var unsupported *gatewayio.UnsupportedSSHError
	var noPython *gatewayio.PythonNotFoundError
	var noStart *gatewayio.StartError
	var tls *gatewayio.TLSError
	switch {
	case errors.As(err, &noHost):
		return noHost.Host + " cannot be reached"
	case errors.As(err, &hostKey) && hostKey.Problem == gatewayio.HostKeyUnknown:
		return "is " + hostKey.Fingerprint + " the key of " + hostKey.Host + "?"
	case errors.As(err, &hostKey):
		return "the key of " + hostKey.Host + " is " + string(hostKey.Problem)
	case errors.As(err, &refused):
		return fmt.Sprintf("%s accepts only %q", refused.Host, refused.Accepts)
	case errors.As(err, &unsupported):
		return unsupported.What + ": use sshclient=openssh"
	case errors.As(err, &noPython):
		return fmt.Sprintf("install one of %q", noPython.Tried)
	case errors.As(err, &noStart):
		return noStart.Args[0] + " cannot be run (" + noStart.Source + ")"
	case errors.As(err, &tls):
		return tls.Address + ": " + tls.Problem
	}
	return err.Error()
}
