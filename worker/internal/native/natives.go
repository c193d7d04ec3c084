// Package native serves in Go what drivers execute for purposes of their own: what they ask a
// worker about itself, the set-up of its process, the forwarder of a proxy gateway, the socket
// server of an installed one, the receiver of rsync.
//
// They arrive as Python source like any other program (protocol.md section 6). The programs of
// execnet's drivers, from release 1.9 on, and of this module's own are recognised and never
// evaluated; what is not recognised is somebody else's program.
package native

import (
	"context"
	"fmt"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/receive"
	"github.com/go-execnet/execnet/server"
)

// Func serves one execution. It returns nil for an orderly end, io.EOF if its channel ended first,
// or an error whose text the driver gets. It returns when ctx or its channel ends, and leaves no
// goroutine, process or socket behind.
type Func func(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program) error

// Natives recognises programs.
type Natives struct {
	// Worker starts this program again as a worker: what a forwarder starts when it is told no
	// interpreter, and what serves the connection of an installed socket server. Its Stderr also
	// gets what other interpreters and the ssh command write to their stderr.
	Worker server.Command
	// Engine says what runs Python source in this worker, one of xspec.Engines, and why.
	Engine func() (engine, why string)
	// Beside executes a program in the process beside this one, if there is one now, gives it an
	// item, and returns when it has ended. Nil means that there is never one.
	Beside func(ctx context.Context, source string, item any) error
}

// IsRInfo tells whether p asks the interpreter about itself.
func (n *Natives) IsRInfo(p gatewaybase.Program) bool {
	return rinfoFunction.recognises(p) || rinfoText.recognises(p)
}

// Find returns the function that serves p, if p is one of the programs that are known here. It
// looks at the text and its name only, and evaluates nothing.
func (n *Natives) Find(p gatewaybase.Program) (Func, bool) {
	for _, known := range n.programs() {
		if known.recognises(p) {
			return known.serve, true
		}
	}
	return nil, false
}

type program struct {
	recogniser
	serve Func
}

// programs are all that are known. The first of each pair is execnet's, the second this module's;
// setUpText is execnet's; memoryText, engineText and argvText are this module's.
func (n *Natives) programs() []program {
	return []program{
		{rinfoFunction, serveRInfo},
		{rinfoText, serveRInfo},
		{memoryText{}, serveMemory},
		{engineText, n.serveEngine},
		{setUpText, n.serveSetUp},
		{argvText, n.serveArgv},
		{proxyModule, n.serveProxy},
		{forwardProcess, n.forwardProcess},
		{forwardSelf, n.forwardSelf},
		{forwardConnection, n.forwardConnection},
		{socketModule, n.serveReferenceSocket},
		{socketServer, n.serveSocket},
		{rsyncModule, channelOnly(receive.ServeReference)},
		{rsyncRemote, channelOnly(receive.Serve)},
	}
}

// channelOnly makes a Func of a function that gets all its arguments on its channel.
func channelOnly(serve func(context.Context, *gatewaybase.Channel) error) Func {
	return func(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error { return serve(ctx, ch) }
}

// expect reports an item that is not what the driver's half of a program sends.
func expect(what string, got any) error {
	return fmt.Errorf("TypeError: expected %s, got %T", what, got)
}
