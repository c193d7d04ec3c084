package bootstrap

import (
	"cmp"
	"context"
	"os"
	"slices"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/xspec"
)

// maxAhead bounds the bytes that may be written before the far end is reached. Further writes wait
// for it.
const maxAhead = 256 << 10

// lazyIO is a pipe whose far end is still being reached. What is written meanwhile goes there
// inside the first line, so that over a slow network the first source does not wait for the answer
// to the bootstrap.
type lazyIO struct {
	config gatewaybase.Config
	behind *Behind
	cancel context.CancelFunc // gives up reaching the far end
	done   chan struct{}      // closed when the far end is reached, or cannot be

	mu          sync.Mutex // guards what follows
	change      sync.Cond
	ahead       []byte         // written by the gateway, not yet sent
	pipe        gatewaybase.IO // nil until there is one
	ready       bool           // the far end has answered
	err         error          // why it will never answer
	exit        gatewaybase.Exit
	readClosed  bool
	writeClosed bool
}

// CanStartLazily reports whether StartLazily works for spec: the worker has to be this module's
// own, in a process of its own.
func CanStartLazily(spec *xspec.Spec) bool {
	return spec.Bootstrap != "import" && spec.Kind() != xspec.KindSocket && !spec.Launches() && spec.Preload == ""
}

// StartLazily returns a gateway at once, and reaches the far end meanwhile: open makes the pipe;
// then the first line, which contains everything that has been sent by then, makes a worker. ctx
// bounds both. If that fails, every call that waits for the gateway returns the error that Start
// would have returned.
func StartLazily(ctx context.Context, open func(context.Context) (gatewaybase.IO, error), config gatewaybase.Config) *gatewaybase.Gateway {
	ctx, cancel := context.WithCancel(ctx)
	config.Windows = true
	return gatewaybase.New(openLazily(ctx, cancel, open, config, nil), config)
}

// Behind is what a Python worker behind a Go worker is told beside its spec.
type Behind struct {
	// FirstID is the id of the first channel that the worker makes.
	FirstID int
	// DescribeErrors is what the driver's Request says.
	DescribeErrors bool
	// Called is what the error of a worker that does not start calls it.
	Called string
	// Prepare is Python source that the worker executes before it serves, in its own namespace and
	// with the name gateway.
	Prepare string
}

// behindLimit is how long the worker behind a Go worker may take to start: somebody waits for its
// first program, and has no other bound for what never answers.
const behindLimit = time.Minute

// OpenBehind returns a pipe to a Python worker behind a Go worker, and starts that worker
// meanwhile, as StartLazily does.
func OpenBehind(open func(context.Context) (gatewaybase.IO, error), config gatewaybase.Config, behind Behind) gatewaybase.IO {
	ctx, cancel := context.WithTimeout(context.Background(), behindLimit)
	return openLazily(ctx, cancel, open, config, &behind)
}

func openLazily(ctx context.Context, cancel context.CancelFunc, open func(context.Context) (gatewaybase.IO, error), config gatewaybase.Config,
	behind *Behind) gatewaybase.IO {
	l := &lazyIO{config: config, behind: behind, cancel: cancel, done: make(chan struct{})}
	l.change.L = &l.mu
	go func() {
		defer close(l.done)
		defer cancel()
		l.reach(ctx, open)
	}()
	return l
}

// reach makes the pipe and the worker.
func (l *lazyIO) reach(ctx context.Context, open func(context.Context) (gatewaybase.IO, error)) {
	pipe, err := open(ctx)
	if err != nil {
		if l.behind != nil {
			err = errtext.Wrap(l.behind.Called, err)
		}
		l.fail(err, gatewaybase.Exit{})
		return
	}
	l.mu.Lock()
	l.pipe = pipe
	ahead := l.ahead
	l.ahead = nil
	l.mu.Unlock()
	if err := greet(ctx, pipe, l.config, more{ahead, l.behind, l.config.Output}); err != nil {
		l.fail(err, pipe.Exit())
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = true
	l.change.Broadcast()
	if l.readClosed {
		pipe.CloseRead()
	}
	if l.writeClosed {
		pipe.CloseWrite()
	}
}

func (l *lazyIO) fail(err error, exit gatewaybase.Exit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err, l.exit = err, exit
	l.change.Broadcast()
}

// await blocks until the far end has answered, cannot be reached, or *closed is set. The caller
// holds mu.
func (l *lazyIO) await(closed *bool) (gatewaybase.IO, error) {
	for !l.ready && l.err == nil && !*closed {
		l.change.Wait()
	}
	switch {
	case l.err != nil:
		return nil, &farend.NotStartedError{Err: l.err}
	case *closed:
		return nil, gatewaybase.ErrClosed
	}
	return l.pipe, nil
}

func (l *lazyIO) Read(p []byte) (int, error) {
	l.mu.Lock()
	pipe, err := l.await(&l.readClosed)
	l.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return pipe.Read(p)
}

func (l *lazyIO) Write(p []byte) (int, error) {
	l.mu.Lock()
	if l.pipe == nil && l.err == nil && !l.writeClosed && len(l.ahead)+len(p) <= maxAhead {
		l.ahead = slices.Concat(l.ahead, p)
		l.mu.Unlock()
		return len(p), nil
	}
	pipe, err := l.await(&l.writeClosed)
	l.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return pipe.Write(p)
}

// WriteNow implements farend.ImmediateWriter.
func (l *lazyIO) WriteNow(p []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pipe, ok := l.pipe.(farend.ImmediateWriter); ok && l.ready && !l.writeClosed {
		return pipe.WriteNow(p)
	}
	return 0
}

// WriteFile implements farend.FileWriter.
func (l *lazyIO) WriteFile() *os.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pipe, ok := l.pipe.(farend.FileWriter); ok && l.ready && !l.writeClosed {
		return pipe.WriteFile()
	}
	return nil
}

func (l *lazyIO) CloseRead() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readClosed = true
	l.change.Broadcast()
	if l.ready {
		return l.pipe.CloseRead()
	}
	l.cancel() // a gateway that does not read needs no far end
	return nil
}

func (l *lazyIO) CloseWrite() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writeClosed = true
	l.change.Broadcast()
	if l.ready {
		return l.pipe.CloseWrite()
	}
	return nil
}

func (l *lazyIO) Kill() error {
	l.cancel()
	if pipe := l.reached(); pipe != nil {
		return pipe.Kill()
	}
	return nil
}

func (l *lazyIO) Wait(ctx context.Context) error {
	if err := farend.Await(ctx, l.done); err != nil {
		return err
	}
	if pipe := l.reached(); pipe != nil {
		return pipe.Wait(ctx)
	}
	return nil
}

func (l *lazyIO) Exit() gatewaybase.Exit {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.pipe == nil {
		return l.exit
	}
	return l.pipe.Exit()
}

func (l *lazyIO) RemoteAddress() string {
	if pipe := l.reached(); pipe != nil {
		return pipe.RemoteAddress()
	}
	_, container := cmdline.ContainerOf(l.config.Spec)
	return cmp.Or(l.config.Spec.SSH, container)
}

func (l *lazyIO) reached() gatewaybase.IO {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pipe
}
