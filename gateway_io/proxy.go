package gatewayio

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/deploy"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// forwarderSource is the half of a proxy that runs behind the other gateway; it says which items
// travel between the two.
//
//go:embed forwarder.py
var forwarderSource string

const (
	// proxyChunk is how many bytes go into one item.
	proxyChunk = 128 << 10
	// proxyWindow is how many bytes may be on their way to the far end before Write waits for it to
	// take some. The forwarder confirms every 128 KiB.
	proxyWindow = 1 << 20
	// proxyKillTimeout is how long the forwarder may take to confirm that it has killed the far
	// end.
	proxyKillTimeout = time.Second
)

// proxy is the pipe to an interpreter that another gateway's worker starts or connects to, as
// execnet's ProxyIO is. Its bytes are items on a channel of that gateway, whose other end is a
// forwarder.
type proxy struct {
	via         string // the other gateway's id
	address     string
	io, control *gatewaybase.Channel
	stderr      *farend.Outlet // nil if the far end's stderr goes to that of the other gateway
	unread      []byte         // what Read has received and not yet returned
	outputEnded bool           // Read has received the end of the output; belongs to Read

	life      context.Context // ends with the far end, or when Kill got no answer
	end       context.CancelFunc
	reading   context.Context
	stopRead  context.CancelFunc
	writing   context.Context
	stopWrite context.CancelFunc
	killed    sync.Once

	mu          sync.Mutex // guards what follows
	change      sync.Cond
	inFlight    int // bytes that the far end has not confirmed
	writeClosed bool
	ended       bool
	reported    bool // the forwarder has told exit
	exit        gatewaybase.Exit
	running     sync.WaitGroup // of background
	done        chan struct{}  // closed when nothing is left here but what Read has not fetched
}

// openProxy starts what spec asks for where via's interpreter runs: an interpreter (without
// python=, the one that via is), the ssh command or that of a container with one behind it, or a
// connection to a socket server. It returns at once: the first bytes written follow the forwarder
// without waiting for it. That the far end cannot be started is reported by Read, as a *ViaError;
// openProxy itself reports that via is closed or dead, ctx's error, or what is wrong in the spec.
// What the far end writes to its stderr comes here if stderr is not nil, else it goes to the stderr
// of via's interpreter.
//
// With a script, that is run instead of the interpreter.
func openProxy(ctx context.Context, via *gatewaybase.Gateway, spec *xspec.Spec, script *deploy.Script, stderr io.Writer) (gatewaybase.IO, error) {
	call, address, err := forwarding(ctx, via, spec, script, stderr != nil)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (gatewaybase.IO, error) {
		return nil, errtext.Wrap(fmt.Sprintf("cannot start %s through gateway %s", spec, via.ID()), err)
	}
	control, err := via.NewChannel()
	if err != nil {
		return fail(err)
	}
	ch, err := via.RemoteExec(ctx, forwarderSource, gatewaybase.File("<execnet forwarder>", 1), call)
	if err == nil {
		if err = agree(ctx, ch, control); err != nil {
			_ = ch.Close() // the error is the first one
		}
	}
	if err != nil {
		_ = control.Close()
		return fail(err)
	}
	p := &proxy{via: via.ID(), address: address, io: ch, control: control, done: make(chan struct{})}
	if stderr != nil {
		p.stderr = farend.NewOutlet(stderr)
	}
	p.change.L = &p.mu
	p.life, p.end = context.WithCancel(context.Background())
	p.writing, p.stopWrite = context.WithCancel(p.life)
	// There may be something to read after the end.
	p.reading, p.stopRead = context.WithCancel(context.Background())
	go p.supervise()
	return p, nil
}

// agree gives the forwarder its control channel. Both ends then take bytes for bytes and text for
// text, on both channels, whatever via's string configuration is. A channel is configured when the
// far end knows it.
func agree(ctx context.Context, ch, control *gatewaybase.Channel) error {
	for _, c := range []*gatewaybase.Channel{ch, control} {
		// Both are always read. Where there are no windows this fails, and is not needed.
		_ = c.SetWindow(0)
	}
	err := ch.Reconfigure(ctx, gatewaybase.StrConfig{})
	if err == nil {
		err = ch.Send(ctx, control)
	}
	if err == nil {
		err = control.Reconfigure(ctx, gatewaybase.StrConfig{})
	}
	return err
}

// forwarding says which function of the forwarder is to be called, and what the far end's address
// is. With stderr, what the far end writes to that is to come on the control channel.
func forwarding(ctx context.Context, via *gatewaybase.Gateway, spec *xspec.Spec, script *deploy.Script, stderr bool) (gatewaybase.ExecOption, string, error) {
	var kwargs map[string]any
	function := "forward_process"
	remote := via.RemoteAddress()
	switch spec.Kind() {
	case xspec.KindSocket:
		host, service, err := net.SplitHostPort(spec.Socket)
		port, portErr := strconv.Atoi(service)
		if err != nil || portErr != nil {
			return nil, "", badSocketAddress(spec.Socket)
		}
		limit := socketTimeout
		if deadline, ok := ctx.Deadline(); ok {
			limit = min(limit, time.Until(deadline))
		}
		return gatewaybase.Call("forward_connection", map[string]any{
			"host": host, "port": port, "timeout": max(limit, time.Millisecond).Seconds(),
		}), spec.Socket, nil
	case xspec.KindSSH, xspec.KindVagrantSSH:
		argv, err := openSSHArgs(spec, script)
		if err != nil {
			return nil, "", err
		}
		kwargs, remote = map[string]any{"interpreter": nil, "argv": argv}, address(spec)
	case xspec.KindDocker, xspec.KindPodman, xspec.KindKubectl:
		argv, err := containerArgs(spec, script)
		if err != nil {
			return nil, "", err
		}
		kwargs, remote = map[string]any{"interpreter": nil, "argv": argv}, address(spec)
	default:
		switch {
		case script == nil:
			kwargs = map[string]any{"interpreter": spec.Python, "argv": cmdline.PythonArgs(spec)}
		case script.Starts:
			function, kwargs = "forward_self", map[string]any{"argv": deploy.Args(script.Text), "mark": script.Mark}
		default:
			kwargs = map[string]any{"interpreter": nil, "argv": deploy.Args(script.Text)}
		}
		if len(spec.Env) > 0 {
			kwargs["env"] = spec.Env
		}
	}
	if stderr {
		kwargs["stderr"] = true
	}
	return gatewaybase.Call(function, kwargs), remote, nil
}

// ViaError says that the forwarder behind the other gateway of via= failed, mostly because it could
// not start the interpreter. Use errors.As with a *ViaError.
type ViaError struct {
	// Via is the id of the gateway that the forwarder runs behind.
	Via string
	// Err is the exception of the forwarder, with its traceback.
	Err *gatewaybase.RemoteError
}

// Error names the gateway, and the exception without its traceback.
func (e *ViaError) Error() string {
	return fmt.Sprintf("execnet: through gateway %s: %s", e.Via, e.Err.Summary())
}

// Unwrap returns Err.
func (e *ViaError) Unwrap() error { return e.Err }

// Read reads from the far end's stdout. When the other gateway dies, its error says so.
func (p *proxy) Read(b []byte) (int, error) {
	for len(p.unread) == 0 {
		if p.outputEnded {
			return 0, io.EOF
		}
		item, err := p.io.Receive(p.reading)
		var failed *gatewaybase.RemoteError
		switch {
		case errors.As(err, &failed):
			return 0, &ViaError{p.via, failed}
		case p.reading.Err() != nil:
			return 0, io.ErrClosedPipe
		case err == io.EOF && !p.hasReported():
			return 0, fmt.Errorf("execnet: what forwards to it behind gateway %s has ended", p.via)
		case err != nil:
			return 0, err
		}
		if item == nil {
			p.outputEnded = true
			return 0, io.EOF
		}
		var ok bool
		if p.unread, ok = item.([]byte); !ok {
			return 0, fmt.Errorf("execnet: the forwarder of gateway %s sent a %T instead of bytes", p.via, item)
		}
	}
	n := copy(b, p.unread)
	p.unread = p.unread[n:]
	return n, nil
}

// Write writes to the far end's stdin. It waits while proxyWindow bytes are on their way.
func (p *proxy) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		piece := b[written:min(len(b), written+proxyChunk)]
		if err := p.claim(len(piece)); err != nil {
			return written, err
		}
		if err := p.io.Send(p.writing, piece); err != nil {
			if p.writing.Err() != nil || errors.Is(err, gatewaybase.ErrClosed) {
				err = io.ErrClosedPipe
			}
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

// claim waits until n more bytes may be sent.
func (p *proxy) claim(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.writeClosed && !p.ended && p.inFlight+n > proxyWindow {
		p.change.Wait()
	}
	if p.writeClosed || p.ended {
		return io.ErrClosedPipe
	}
	p.inFlight += n
	return nil
}

// CloseRead ends reading, and the far end too, which cannot go on without a reader.
func (p *proxy) CloseRead() error {
	p.stopRead()
	return p.io.Close()
}

// CloseWrite closes the far end's stdin behind what was written before.
func (p *proxy) CloseWrite() error {
	p.mu.Lock()
	first := !p.writeClosed
	p.writeClosed = true
	p.change.Broadcast()
	p.mu.Unlock()
	p.stopWrite()
	if first {
		p.background(func() {
			// Where it cannot be sent, the far end finds its stdin closed anyway.
			_ = p.io.Send(p.life, nil)
		})
	}
	return nil
}

// Kill tells the forwarder to kill the far end. If it does not confirm that within a second, the
// far end counts as ended.
func (p *proxy) Kill() error {
	p.killed.Do(func() {
		p.background(func() {
			ctx, cancel := context.WithTimeout(p.life, proxyKillTimeout)
			defer cancel()
			// Not being able to ask is like not being answered.
			_ = p.control.Send(ctx, "kill")
			<-ctx.Done()
			p.end()
		})
	})
	return nil
}

// background runs f in a goroutine that Wait waits for. f has to end with p.life.
func (p *proxy) background(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.running.Go(f)
	}
}

// supervise waits for the far end's end and frees what belongs to the pipe.
func (p *proxy) supervise() {
	defer close(p.done)
	p.follow()
	p.mu.Lock()
	p.ended = true
	p.change.Broadcast()
	p.mu.Unlock()
	p.end()
	p.running.Wait()
	_ = p.control.Close() // fails only where the other gateway has ended, and all channels with it
	if p.stderr != nil {
		p.stderr.FlushSoon()
	}
}

// follow reads the forwarder's reports until the last one.
func (p *proxy) follow() {
	for {
		item, err := p.control.Receive(p.life)
		if err != nil {
			return
		}
		if ended, ok := p.report(item); ended {
			_ = p.io.Close() // all there is to read has come before
			return
		} else if !ok {
			text := fmt.Sprintf("the forwarder sent an unknown report: %v", item)
			_ = p.io.CloseWithError(&gatewaybase.RemoteError{Formatted: text}) // Read returns it
			return
		}
	}
}

// report processes one report of the forwarder.
func (p *proxy) report(item any) (ended, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	report, _ := item.(serializer.Tuple)
	switch {
	case len(report) == 2 && report[0] == "ack":
		n, _ := report[1].(int64)
		if n <= 0 || n > int64(p.inFlight) {
			return false, false
		}
		p.inFlight -= int(n)
		p.change.Broadcast()
		return false, true
	case len(report) == 2 && report[0] == "stderr" && p.stderr != nil:
		data, ok := report[1].([]byte)
		p.stderr.Offer(data)
		return false, ok
	case len(report) == 3 && report[0] == "exit":
		status, known := report[1].(int64)
		stderr, _ := report[2].([]byte)
		p.reported = true
		p.exit = gatewaybase.Exit{Known: known, Code: int(status), Stderr: string(stderr)}
		if status < 0 {
			p.exit.Code, p.exit.Signal = -1, os.Signal(syscall.Signal(-status))
		}
		return true, true
	}
	return false, false
}

// hasReported reports whether the forwarder has told how the far end ended.
func (p *proxy) hasReported() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reported
}

// Wait blocks until the forwarder has reported the far end's end, its gateway has ended, or neither
// has answered Kill, or until ctx ends, whose error it then returns.
func (p *proxy) Wait(ctx context.Context) error {
	return farend.Await(ctx, p.done)
}

// Exit tells how the far end's process ended, as the forwarder reported it. It is not known of a
// socket server, and when the other gateway ended first.
func (p *proxy) Exit() gatewaybase.Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

// RemoteAddress is the far end's host as its spec names it, that of the other gateway for an
// interpreter beside it.
func (p *proxy) RemoteAddress() string { return p.address }
