package native

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/process"
)

// patience is how long a sub may take to end when its driver has let go of it. It is less than what
// a worker grants to what it executes before it ends itself (protocol.md section 8.3).
const patience = 4 * time.Second

// forwarding passes bytes between a channel and the sub that a forwarder has started for it: what
// execnet's forwarder and this module's have in common (protocol.md section 9).
type forwarding struct {
	io  *gatewaybase.Channel
	sub gatewaybase.IO

	once    sync.Once
	failure error // set by fail
}

// run sees the sub to its end and reap, all its output passed on. output passes that on; it reads
// until the sub has no more or the driver takes no more. jobs run meanwhile; their contexts end
// with the sub.
func (f *forwarding) run(ctx context.Context, output func(context.Context), jobs ...func(context.Context)) error {
	life, end := context.WithCancel(ctx)
	defer end()
	var running sync.WaitGroup
	for _, job := range append(jobs, f.watch) {
		running.Go(func() { job(life) })
	}
	running.Go(func() {
		output(ctx)
		// A sub that says no more is no worker any more.
		_ = f.sub.CloseRead()
		_ = f.sub.CloseWrite()
	})
	// Its context never ends: who does not end is killed.
	_ = f.sub.Wait(context.WithoutCancel(ctx))
	end()
	running.Wait()
	return f.failure
}

// watch kills the sub if it does not end soon after its driver, or the execution, did.
func (f *forwarding) watch(life context.Context) {
	// However it ends, the driver has no more for the sub; whoever passes the input on closes it
	// behind what is left.
	_ = f.io.WaitClose(life)
	soon, cancel := context.WithTimeout(context.WithoutCancel(life), patience)
	defer cancel()
	if f.sub.Wait(soon) != nil {
		_ = f.sub.Kill()
	}
}

// fail ends the sub because of something that cannot go on; the driver is told of the first.
func (f *forwarding) fail(err error) {
	f.once.Do(func() { f.failure = err })
	_ = f.sub.Kill()
}

// write gives the sub input. It is lost when the sub is ending, or has been told the end of its
// input.
func (f *forwarding) write(data []byte) { _, _ = f.sub.Write(data) }

// status is what Python's Popen.wait returns: an exit status, -n for the signal n, or None where
// nobody knows.
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

// startWorker starts this program as a worker.
func (n *Natives) startWorker() (gatewaybase.IO, error) {
	return n.start(n.Worker.Args, n.Worker.Env)
}

// start starts a command. What cannot be started is Python's FileNotFoundError or its kin to the
// driver.
func (n *Natives) start(argv, env []string) (gatewaybase.IO, error) {
	p, err := process.Start(argv, env, n.Worker.Stderr)
	var failed *cmdline.StartError
	if errors.As(err, &failed) {
		return nil, errors.New("OSError: " + errtext.Of(err))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}
