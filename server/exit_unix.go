//go:build unix

package server

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

func exitOf(state *os.ProcessState) gatewaybase.Exit {
	exit := gatewaybase.Exit{Known: true, Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// signalName is a signal's name as ssh has it, without SIG.
func signalName(signal os.Signal) string {
	number, _ := signal.(syscall.Signal)
	return strings.TrimPrefix(unix.SignalName(number), "SIG")
}
