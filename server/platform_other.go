//go:build !unix

package server

import (
	"context"
	"errors"
	"os"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// canHandOver says whether a process can have a socket as its stdin and stdout.
const canHandOver = false

func peek(context.Context, handle) ([]byte, error) { return nil, errors.ErrUnsupported }

func exitOf(state *os.ProcessState) gatewaybase.Exit {
	return gatewaybase.Exit{Known: true, Code: state.ExitCode()}
}

// signalName is never asked for: processes do not end by signals here.
func signalName(signal os.Signal) string { return signal.String() }

// On Windows a file in a user's profile is the user's and the administrators' unless somebody has
// changed that.
func checkOwner(*os.File) error  { return nil }
func checkSecret(*os.File) error { return nil }
