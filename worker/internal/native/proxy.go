package native

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// What execnet's driver asks for on the control channel (protocol.md section 9.5).
const (
	rioKill          = 1
	rioWait          = 2
	rioRemoteAddress = 3
	rioCloseWrite    = 4
)

// proxy is execnet's forwarder (gateway_io.serve_proxy_io).
type proxy struct {
	forwarding
	control *gatewaybase.Channel
	id      string // of the driver's gateway
	address string

	hasLine  bool            // passInput's: the first line for the sub has come
	input    context.Context // ends with RIO_CLOSE_WRITE
	endInput context.CancelFunc

	mu      sync.Mutex // guards what follows
	ended   bool
	waiting int // how many RIO_WAITs are to be answered when the sub has ended
}

// serveProxy starts what the dict on the channel asks for and forwards to it. It ends with the sub;
// afterwards, as the driver expects, the control channel still tells how that ended.
//
// It differs from execnet's in two answers: RIO_WAIT keeps no other message waiting, and the
// address of a sub beside this worker is the empty string, where execnet's fails.
func (n *Natives) serveProxy(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
	item, err := ch.Receive(ctx)
	if err != nil {
		return err
	}
	fields, ok := item.(*serializer.Dict)
	if !ok {
		return expect("the dict of a spec", item)
	}
	control, err := receiveChannel(ctx, ch)
	if err != nil {
		return err
	}
	spec := specOf(fields)
	sub, err := n.startSub(spec)
	if err != nil {
		awaitLine(ctx, ch)
		return err
	}
	p := &proxy{forwarding: forwarding{io: ch, sub: sub}, control: control, id: spec.ID, address: cmp.Or(spec.SSH, spec.VagrantSSH)}
	p.input, p.endInput = context.WithCancel(ctx)
	defer p.endInput()
	// It fails if the driver has closed the channel already.
	_ = control.SetCallback(p.serveControl, gatewaybase.NoEndmarker)
	err = p.run(ctx, p.passOutput, p.passInput)
	p.end(ctx)
	if err != nil && !p.hasLine {
		awaitLine(ctx, ch)
	}
	var died *gatewaybase.GatewayDiedError
	if errors.As(err, &died) {
		died.Exit = p.sub.Exit()
	}
	return err
}

// awaitLine waits for the driver's first line for the sub, before a failure ends the execution. A
// driver that sends the line later would get the error of a closed channel instead of the reason.
func awaitLine(ctx context.Context, ch *gatewaybase.Channel) {
	_, _ = ch.Receive(ctx) // the line, or the end of the channel
}

// specOf reads the attributes of the driver's XSpec, those that a forwarder uses (protocol.md
// section 9.3).
func specOf(fields *serializer.Dict) *xspec.Spec {
	values := map[string]any{}
	for name, value := range fields.All() {
		if name, ok := text(name); ok {
			values[name] = value
		}
	}
	spec := &xspec.Spec{}
	for name, field := range map[string]*string{
		"id": &spec.ID, "ssh": &spec.SSH, "vagrant_ssh": &spec.VagrantSSH, "ssh_config": &spec.SSHConfig, "python": &spec.Python,
	} {
		*field, _ = text(values[name])
	}
	for name, field := range map[string]*bool{"popen": &spec.Popen, "dont_write_bytecode": &spec.DontWriteBytecode} {
		s, isText := text(values[name])
		*field = values[name] == true || isText && s != ""
	}
	return spec
}

// startSub starts an interpreter, by itself or behind the ssh command.
func (n *Natives) startSub(spec *xspec.Spec) (gatewaybase.IO, error) {
	var argv []string
	var err error
	switch {
	case spec.Popen && spec.Python == "":
		return n.startWorker(nil, n.Worker.Stderr)
	case spec.Popen:
		argv, _, err = cmdline.Python(spec)
	case spec.SSH != "" || spec.VagrantSSH != "":
		argv, err = cmdline.OpenSSH(spec)
	default:
		err = errors.New("ValueError: a sub is started by popen, ssh or vagrant_ssh")
	}
	if err != nil {
		return nil, err
	}
	return n.start(argv, nil, n.Worker.Stderr)
}

// serveControl answers one item of the control channel. It is that channel's callback, because it
// has to answer after the execution has ended, too.
func (p *proxy) serveControl(item any) error {
	var answer any
	switch item {
	case int64(rioKill):
		_ = p.sub.Kill() // fails where there is nothing left to kill
	case int64(rioCloseWrite):
		p.endInput()
	case int64(rioRemoteAddress):
		answer = p.address
	case int64(rioWait):
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.ended {
			p.waiting++
			return nil
		}
		answer = status(p.sub.Exit())
	default:
		return fmt.Errorf("ValueError: %v asks a forwarder for nothing", item)
	}
	p.answer(answer)
	return nil
}

// answer sends an answer. That fails if the driver has closed the channel, and wants no answer.
func (p *proxy) answer(v any) { _ = p.control.Send(context.Background(), v) }

// end answers the RIO_WAITs that came before the sub ended.
func (p *proxy) end(ctx context.Context) {
	p.mu.Lock()
	p.ended = true
	waiting := p.waiting
	p.mu.Unlock()
	for range waiting {
		_ = p.control.Send(ctx, status(p.sub.Exit())) // as in answer
	}
}

// passInput writes what the driver sends to the sub. RIO_CLOSE_WRITE comes on another channel and
// so may be seen before items that were sent earlier. Those are in the io channel's queue by then,
// and Receive returns queued items even if its context has ended.
func (p *proxy) passInput(life context.Context) {
	stop := context.AfterFunc(life, p.endInput)
	defer stop()
	// The second round takes what comes after the end of the input: that is lost.
	for _, ctx := range []context.Context{p.input, life} {
		for {
			item, err := p.io.Receive(ctx)
			if err != nil {
				break
			}
			p.hasLine = true
			data, ok := bytesOf(item)
			if !ok {
				p.fail(expect("bytes for the sub", item))
				return
			}
			p.write(data)
		}
		_ = p.sub.CloseWrite()
	}
}

// bytesOf returns the bytes of an item. The str of a Python 2 arrives as text, with a character for
// each byte.
func bytesOf(item any) (data []byte, ok bool) {
	if data, ok = item.([]byte); ok {
		return data, true
	}
	s, ok := item.(string)
	if !ok {
		return nil, false
	}
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		data = append(data, byte(r))
	}
	return data, true
}

// passOutput sends the sub's answer to the first line, then its messages.
func (p *proxy) passOutput(ctx context.Context) {
	var answer [1]byte
	if _, err := io.ReadFull(p.sub, answer[:]); err != nil {
		p.fail(&gatewaybase.GatewayDiedError{ID: p.id, Err: errors.New("it ended without an answer")})
		return
	}
	if answer[0] != '1' {
		p.fail(fmt.Errorf("AssertionError: expected a worker's answer, got %q", answer[:]))
		return
	}
	if p.io.Send(ctx, answer[:]) != nil {
		return
	}
	messages := &messageReader{from: p.sub}
	for {
		some, err := messages.next()
		if err != nil || p.io.Send(ctx, some) != nil {
			return
		}
	}
}
