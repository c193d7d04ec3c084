//go:build unix

package server

import (
	"os"
	"syscall"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

func exitOf(state *os.ProcessState) gatewaybase.Exit {
	exit := gatewaybase.Exit{Known: true, Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}
