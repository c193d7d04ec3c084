package gatewaybase

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func spec(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	s, err := xspec.Parse(text)
	require.NoError(t, err)
	return s
}

// pair connects a driver's gateway and a worker's one, both in this process.
func pair(t *testing.T) (driver, worker *Gateway, warnings *textbuffer.Buffer) {
	t.Helper()
	a, b := pipes.Pair(t)
	warnings = &textbuffer.Buffer{}
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
func raw(t *testing.T) (*Gateway, *pipes.Interruptible) {
	t.Helper()
	return rawWith(t, Config{})
}

// rawWith is raw with something else in the gateway's configuration.
func rawWith(t *testing.T, config Config) (*Gateway, *pipes.Interruptible) {
	t.Helper()
	a, b := pipes.Pair(t)
	config.Spec, config.Warnings = spec(t, "popen//id=gw0"), &textbuffer.Buffer{}
	gw := New(a, config)
	// A test that reads what never comes fails then, by name, and does not end all the others.
	tooLate := time.AfterFunc(2*time.Minute, func() { b.CloseRead() })
	t.Cleanup(func() {
		tooLate.Stop()
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
	here, err := driver.newChannel()
	require.NoError(t, err)
	core, err := worker.table.ensure(here.core.id)
	require.NoError(t, err)
	return here, core.handle()
}

// frameBytes is one message as the wire has it.
func frameBytes(t *testing.T, c code, channel int32, payload []byte) []byte {
	t.Helper()
	f := append(make([]byte, headerSize), payload...)
	require.NoError(t, putHeader(f, len(payload), c, channel))
	return f
}

func readFrame(t *testing.T, r io.Reader) message {
	t.Helper()
	var frames messageReader
	m, err := frames.next(r)
	require.NoError(t, err)
	m.frame = nil
	return m
}
