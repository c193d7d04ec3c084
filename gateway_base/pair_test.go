package gatewaybase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipeIO is one end of a pair of kernel pipes.
type pipeIO struct {
	r, w *os.File
	exit Exit
	gone chan struct{} // closed when the "process" has ended
	once sync.Once
}

func (p *pipeIO) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.r.SetReadDeadline(time.Time{})
		return n, farend.ErrReadInterrupted
	}
	return n, err
}

func (p *pipeIO) InterruptRead() { p.r.SetReadDeadline(time.Unix(1, 0)) }

func (p *pipeIO) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipeIO) CloseRead() error            { return p.r.Close() }
func (p *pipeIO) CloseWrite() error           { return p.w.Close() }
func (p *pipeIO) Kill() error                 { p.once.Do(func() { close(p.gone) }); return nil }
func (p *pipeIO) Exit() Exit                  { return p.exit }
func (p *pipeIO) RemoteAddress() string       { return "" }

func (p *pipeIO) Wait(ctx context.Context) error {
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pipes makes two ends of one connection.
func pipes(t *testing.T) (a, b *pipeIO) {
	t.Helper()
	ar, bw, err := os.Pipe()
	require.NoError(t, err)
	br, aw, err := os.Pipe()
	require.NoError(t, err)
	return &pipeIO{r: ar, w: aw, gone: make(chan struct{})}, &pipeIO{r: br, w: bw, gone: make(chan struct{})}
}

// buffer collects warnings.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func spec(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	s, err := xspec.Parse(text)
	require.NoError(t, err)
	return s
}

// pair connects a driver's gateway and a worker's one, both in this process.
func pair(t *testing.T) (driver, worker *Gateway, warnings *buffer) {
	t.Helper()
	a, b := pipes(t)
	warnings = &buffer{}
	driver = New(a, Config{Spec: spec(t, "popen//id=driver"), Warnings: warnings})
	worker = New(b, Config{Spec: spec(t, "popen//id=worker"), Executor: runner{}, Warnings: warnings})
	t.Cleanup(func() {
		driver.Exit()
		worker.Exit()
		require.NoError(t, driver.Join(within.Soon(t)))
		require.NoError(t, worker.Join(within.Soon(t)))
	})
	return driver, worker, warnings
}

// raw connects a gateway to a bare pipe end on which a test plays the other side byte by byte.
func raw(t *testing.T) (*Gateway, *pipeIO) {
	t.Helper()
	a, b := pipes(t)
	gw := New(a, Config{Spec: spec(t, "popen//id=gw0"), Warnings: &buffer{}})
	t.Cleanup(func() {
		b.CloseRead()
		b.CloseWrite()
		gw.Exit()
		require.NoError(t, gw.Join(within.Soon(t)))
	})
	return gw, b
}

// twoEnds is one channel, seen from both sides.
func twoEnds(t *testing.T, driver, worker *Gateway) (here, there *Channel) {
	t.Helper()
	here, err := driver.NewChannel()
	require.NoError(t, err)
	core, err := worker.table.ensure(here.core.id)
	require.NoError(t, err)
	return here, core.handle()
}

// frameBytes is one message as the wire has it.
func frameBytes(t *testing.T, c code, channel int32, payload []byte) []byte {
	t.Helper()
	f := append(make([]byte, headerSize), payload...)
	require.NoError(t, putHeader(f, c, channel))
	return f
}

func readFrame(t *testing.T, r io.Reader) message {
	t.Helper()
	var frames messageReader
	m, err := frames.next(r)
	require.NoError(t, err)
	return m
}
