//go:build !unix

package server

import (
	"os"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

func exitOf(state *os.ProcessState) gatewaybase.Exit {
	return gatewaybase.Exit{Known: true, Code: state.ExitCode()}
}

// signalName is never asked for: processes do not end by signals here.
func signalName(signal os.Signal) string { return signal.String() }
