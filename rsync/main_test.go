package rsync

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/receive"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/xspec"
)

// workerVariable makes this test binary a Go worker that stands in for an interpreter:
// popen//python=BINARY.
const workerVariable = "EXECNET_RSYNC_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := serveWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// serveWorker answers the driver's first line and runs receivers until the driver is done.
func serveWorker() error {
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("1"); err != nil {
		return err
	}
	spec, err := xspec.Parse("popen//id=worker")
	if err != nil {
		return err
	}
	pipe := &standardStreams{in: in, gone: make(chan struct{})}
	gw := gatewaybase.New(pipe, gatewaybase.Config{Spec: spec, Executor: &receivers{}})
	return gw.Join(context.Background())
}

// receivers executes the receiving halves of rsync, known by what their sources say.
type receivers struct {
	running sync.WaitGroup
	naming  *receive.Naming // if set, that of a system that is pretended
}

func (r *receivers) Status() (int, string) { return 0, "thread" }

func (r *receivers) Finish() { r.running.Wait() }

func (r *receivers) Execute(e *gatewaybase.Execution) {
	r.running.Go(func() {
		err := fmt.Errorf("no such program: %.40q", e.Source)
		switch {
		case e.File == wire.RemoteFile && e.Call == wire.RemoteFunction:
			if r.naming != nil {
				err = receive.ServeNamed(context.Background(), e.Channel, *r.naming)
				break
			}
			err = receive.Serve(context.Background(), e.Channel)
		case strings.Contains(e.Source, "serve_rsync"):
			err = receive.ServeReference(context.Background(), e.Channel)
		}
		if err != nil {
			e.End(err)
			return
		}
		e.End(nil)
	})
}

// standardStreams is this process's end of the driver's pipe.
type standardStreams struct {
	in   *bufio.Reader
	gone chan struct{}
}

func (s *standardStreams) Read(b []byte) (int, error)     { return s.in.Read(b) }
func (s *standardStreams) Write(b []byte) (int, error)    { return os.Stdout.Write(b) }
func (s *standardStreams) CloseRead() error               { return os.Stdin.Close() }
func (s *standardStreams) CloseWrite() error              { return os.Stdout.Close() }
func (s *standardStreams) Kill() error                    { return nil }
func (s *standardStreams) Exit() gatewaybase.Exit         { return gatewaybase.Exit{} }
func (s *standardStreams) RemoteAddress() string          { return "" }
func (s *standardStreams) Wait(ctx context.Context) error { return nil }
