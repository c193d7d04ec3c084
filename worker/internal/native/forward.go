package native

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/deploy"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

const (
	// ackEvery is how many bytes the sub must have read before the driver is told. It has to be
	// less than the 1 MiB that the driver sends without an acknowledgement.
	ackEvery = 128 << 10
	// outputChunk is how much of the sub's output is read at once.
	outputChunk = 64 << 10
)

// forwarder is this module's forwarder, as gateway_io/forwarder.py, which describes its protocol
// (protocol.md section 9.6).
type forwarder struct {
	forwarding
	control *gatewaybase.Channel
}

// forwardProcess is the forwarder's function forward_process: it starts an interpreter, this
// program itself where none is named, or another command.
func (n *Natives) forwardProcess(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program) error {
	return forward(ctx, ch, func(control *gatewaybase.Channel) (gatewaybase.IO, error) {
		args := arguments{kwargs: p.Kwargs}
		interpreter, argv := args.get("interpreter"), args.texts("argv")
		env, stderr, count := n.processOptions(ctx, &args, control)
		if err := args.check(2 + count); err != nil {
			return nil, err
		}
		switch interpreter := interpreter.(type) {
		case nil:
			return n.start(argv, cmdline.Environ(nil, env), stderr)
		case string:
			if interpreter == "" {
				return n.startWorker(env, stderr) // the arguments are for a Python
			}
			command, err := cmdline.SplitPython(interpreter)
			if err != nil {
				return nil, fmt.Errorf("ValueError: %s: %w", interpreter, err)
			}
			return n.start(append(command, argv...), cmdline.Environ(nil, env), stderr)
		}
		return nil, expect("interpreter as str or None", interpreter)
	})
}

// forwardSelf is the forwarder's function forward_self: it starts this program. The arguments are a
// script that would start the driver's; what that says of a program that it has found is said here.
func (n *Natives) forwardSelf(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program) error {
	return forward(ctx, ch, func(control *gatewaybase.Channel) (gatewaybase.IO, error) {
		args := arguments{kwargs: p.Kwargs}
		mark := args.text("mark")
		args.texts("argv")
		env, stderr, count := n.processOptions(ctx, &args, control)
		if err := args.check(2 + count); err != nil {
			return nil, err
		}
		sub, err := n.startWorker(env, stderr)
		if err == nil {
			// It fails if the driver is gone, and what serves sub notices that.
			_ = ch.Send(ctx, deploy.There(mark, n.Worker.Args[0]))
		}
		return sub, err
	})
}

// processOptions reads the arguments that may be absent, and says how many there are.
func (n *Natives) processOptions(ctx context.Context, args *arguments, control *gatewaybase.Channel) (env map[string]string, stderr io.Writer, count int) {
	if _, ok := args.kwargs.Get("env"); ok {
		count, env = count+1, args.variables("env")
	}
	stderr = n.Worker.Stderr
	if wanted, ok := args.kwargs.Get("stderr"); ok {
		if count++; wanted == true {
			stderr = &reporter{ctx: ctx, control: control}
		}
	}
	return env, stderr, count
}

// forwardConnection is the forwarder's function forward_connection: it connects to a socket server.
func (n *Natives) forwardConnection(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program) error {
	return forward(ctx, ch, func(*gatewaybase.Channel) (gatewaybase.IO, error) {
		args := arguments{kwargs: p.Kwargs}
		host, port, seconds := args.text("host"), args.port("port"), args.seconds("timeout")
		if err := args.check(3); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, seconds)
		defer cancel()
		return new(gatewayio.Opener).Open(ctx, &xspec.Spec{Socket: net.JoinHostPort(host, strconv.Itoa(port))})
	})
}

// forward serves one sub, which connect reaches.
func forward(ctx context.Context, ch *gatewaybase.Channel, connect func(control *gatewaybase.Channel) (gatewaybase.IO, error)) error {
	control, err := receiveChannel(ctx, ch)
	if err != nil {
		return err
	}
	defer control.Close()
	sub, err := connect(control)
	if err != nil {
		return err
	}
	f := &forwarder{forwarding{io: ch, sub: sub}, control}
	if err := f.run(ctx, f.passOutput, f.passInput, f.serveControl); err != nil {
		return err
	}
	exit := sub.Exit()
	// It fails if the driver has closed the channel, and wants no answer.
	_ = control.Send(ctx, serializer.Tuple{"exit", status(exit), []byte(exit.Stderr)})
	return nil
}

// reporter sends what a sub writes to its stderr to the driver.
type reporter struct {
	ctx     context.Context
	control *gatewaybase.Channel
}

// Write implements io.Writer.
func (r *reporter) Write(b []byte) (int, error) {
	return len(b), r.control.Send(r.ctx, serializer.Tuple{"stderr", b})
}

// passOutput sends what the sub writes to the io channel, and None when it has closed its output.
func (f *forwarder) passOutput(ctx context.Context) {
	buffer := make([]byte, outputChunk)
	for {
		n, err := f.sub.Read(buffer)
		if n > 0 && f.io.Send(ctx, buffer[:n]) != nil {
			return
		}
		if err != nil {
			_ = f.io.Send(ctx, nil) // fails if the driver has closed the channel
			return
		}
	}
}

// passInput writes what comes on the io channel to the sub, and tells the driver how much that was.
func (f *forwarder) passInput(life context.Context) {
	taken := 0
	for {
		item, err := f.io.Receive(life)
		if err != nil {
			break
		}
		data, ok := item.([]byte)
		switch {
		case item == nil:
			_ = f.sub.CloseWrite()
		case !ok:
			f.fail(expect("bytes for the sub", item))
			return
		}
		f.write(data)
		if taken += len(data); taken >= ackEvery {
			if f.control.Send(life, serializer.Tuple{"ack", taken}) != nil {
				break
			}
			taken = 0
		}
	}
	_ = f.sub.CloseWrite()
}

// serveControl does what the driver asks for on the control channel.
func (f *forwarder) serveControl(life context.Context) {
	for {
		item, err := f.control.Receive(life)
		switch {
		case err != nil:
			return // the end of the driver shows on the io channel
		case item == "kill":
			_ = f.sub.Kill() // fails where there is nothing left to kill
		default:
			f.fail(fmt.Errorf("ValueError: %v asks a forwarder for nothing", item))
		}
	}
}

// arguments reads keyword arguments; the first that is wrong is an error.
type arguments struct {
	kwargs *serializer.Dict
	err    error
}

// check reports what was wrong, or that there are more than count arguments.
func (a *arguments) check(count int) error {
	if a.err == nil && a.kwargs.Len() != count {
		a.err = fmt.Errorf("TypeError: unexpected keyword arguments: %v", a.kwargs)
	}
	return a.err
}

func (a *arguments) get(name string) any {
	v, ok := a.kwargs.Get(name)
	if !ok {
		a.wrong("TypeError: missing argument: '%s'", name)
	}
	return v
}

func (a *arguments) wrong(format string, words ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, words...)
	}
}

func (a *arguments) text(name string) string {
	v := a.get(name)
	s, ok := v.(string)
	if !ok {
		a.wrong("TypeError: %s has to be str, not %T", name, v)
	}
	return s
}

func (a *arguments) texts(name string) (texts []string) {
	list, ok := a.get(name).([]any)
	for _, v := range list {
		s, isText := v.(string)
		ok = ok && isText
		texts = append(texts, s)
	}
	if !ok {
		a.wrong("TypeError: %s has to be a list of str", name)
	}
	return texts
}

func (a *arguments) variables(name string) map[string]string {
	dict, ok := a.get(name).(*serializer.Dict)
	variables := make(map[string]string)
	if ok {
		for key, value := range dict.All() {
			text, isText := key.(string)
			value, isValue := value.(string)
			ok = ok && isText && isValue
			variables[text] = value
		}
	}
	if !ok {
		a.wrong("TypeError: %s has to be a dict of str", name)
	}
	return variables
}

func (a *arguments) port(name string) int {
	port, ok := a.get(name).(int64)
	if !ok || port < 0 || port > 0xffff {
		a.wrong("OverflowError: %s has to be 0 to 65535", name)
	}
	return int(port)
}

func (a *arguments) seconds(name string) time.Duration {
	seconds, ok := a.get(name).(float64)
	if !ok || !(seconds > 0 && seconds < 1e6) {
		a.wrong("ValueError: %s has to be a number of seconds", name)
	}
	return time.Duration(seconds * float64(time.Second))
}
