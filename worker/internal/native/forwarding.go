package native

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/process"
)

// endTimeout is how long a sub may take to end after its driver has closed the io channel. It is
// less than the time that a worker gives its executions to end (protocol.md section 8.3).
const endTimeout = 4 * time.Second

// forwarding passes bytes between a channel and the sub that a forwarder has started for it: what
// execnet's forwarder and this module's have in common (protocol.md section 9).
type forwarding struct {
	io  *gatewaybase.Channel
	sub gatewaybase.IO

	once    sync.Once
	failure error // set by fail
}

// run returns when the sub has ended, all its output is passed on and its process is reaped. output
// passes the output on; it reads until the sub has no more or the driver takes no more. jobs run
// meanwhile; their contexts end with the sub.
func (f *forwarding) run(ctx context.Context, output func(context.Context), jobs ...func(context.Context)) error {
	life, end := context.WithCancel(ctx)
	defer end()
	var running sync.WaitGroup
	for _, job := range append(jobs, f.watch) {
		running.Go(func() { job(life) })
	}
	running.Go(func() {
		output(ctx)
		// A sub that has closed its output is no worker any more.
		_ = f.sub.CloseRead()
		_ = f.sub.CloseWrite()
	})
	// The context never ends: watch kills a sub that does not end.
	_ = f.sub.Wait(context.WithoutCancel(ctx))
	end()
	running.Wait()
	return f.failure
}

// watch kills the sub if it does not end soon after its driver, or the execution, did.
func (f *forwarding) watch(life context.Context) {
	// However the channel ends, the driver has no more input for the sub. The job that passes input
	// on closes the sub's input after what is left.
	_ = f.io.WaitClose(life)
	soon, cancel := context.WithTimeout(context.WithoutCancel(life), endTimeout)
	defer cancel()
	if f.sub.Wait(soon) != nil {
		_ = f.sub.Kill()
	}
}

// fail ends the sub because of an error. The driver gets the first of several errors.
func (f *forwarding) fail(err error) {
	f.once.Do(func() { f.failure = err })
	_ = f.sub.Kill()
}

// write gives the sub input. It is lost when the sub is ending, or has been told the end of its
// input.
func (f *forwarding) write(data []byte) { _, _ = f.sub.Write(data) }

// status is what Python's Popen.wait returns: an exit status, -n for the signal n, or None if it is
// not known.
func status(exit gatewaybase.Exit) any {
	if !exit.Known {
		return nil
	}
	if number, ok := exit.Signal.(syscall.Signal); ok {
		return -int(number)
	}
	return exit.Code
}

// receiveChannel receives an item that has to be a channel.
func receiveChannel(ctx context.Context, ch *gatewaybase.Channel) (*gatewaybase.Channel, error) {
	item, err := ch.Receive(ctx)
	if err != nil {
		return nil, err
	}
	control, ok := item.(*gatewaybase.Channel)
	if !ok {
		return nil, expect("the control channel", item)
	}
	return control, nil
}

// startWorker starts this program as a worker, with env on top of its environment.
func (n *Natives) startWorker(env map[string]string, stderr io.Writer) (gatewaybase.IO, error) {
	return n.start(n.Worker.Args, cmdline.Environ(n.Worker.Env, env), stderr)
}

// start starts a command. One that cannot be started is an OSError to the driver, as in Python.
// What it writes to its stderr goes to stderr.
func (n *Natives) start(argv, env []string, stderr io.Writer) (gatewaybase.IO, error) {
	p, err := process.Start(argv, env, stderr)
	var failed *cmdline.StartError
	if errors.As(err, &failed) {
		return nil, errors.New("OSError: " + errtext.Of(err))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}
