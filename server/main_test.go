package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// standIn makes the test's program a worker of the kind it names: see standInMain.
const standIn = "EXECNET_SERVER_TEST_WORKER"

// WorkerMain is what the test's program runs as a Go worker. Only tests outside the package can set
// it: the worker's package imports this one.
var WorkerMain func() int

func TestMain(m *testing.M) {
	if kind := os.Getenv(standIn); kind != "" {
		os.Exit(standInMain(kind))
	}
	goleak.VerifyTestMain(m)
}

// standInMain is a worker that reads its first line, answers 1, its process id and a newline, and
// then:
//
//	echo       sends back what comes, to its end, and exits with status 3
//	stubborn   neither reads nor ends
//	half       ends its output at once, and reads to the end
//	go         is WorkerMain, from the beginning
//	stderr     says something on stderr and exits
func standInMain(kind string) int {
	if kind == "go" {
		return WorkerMain()
	}
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadString('\n')
	if err != nil {
		return 9
	}
	if kind == "stderr" {
		fmt.Fprintf(os.Stderr, "first line: %s", line)
		return 0
	}
	fmt.Printf("1%d\n", os.Getpid())
	switch kind {
	case "stubborn":
		select {}
	case "echo":
		_, _ = io.Copy(struct{ io.Writer }{os.Stdout}, in)
		return 3
	}
	return 0
}

// worker is a Command that runs a stand-in.
func worker(t *testing.T, kind string) Command {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	return Command{Args: []string{program}, Env: append(os.Environ(), standIn+"="+kind), Stderr: t.Output()}
}

// python is a Command that runs whatever Python source the first line holds.
func python(t *testing.T) Command {
	t.Helper()
	return Command{Args: []string{pythons.Default(t).Path, "-u", "-c", cmdline.BootstrapLine}, Stderr: t.Output()}
}

// lineLog collects the lines that a server writes, and lets tests wait for them.
type lineLog struct {
	mu    sync.Mutex
	text  strings.Builder
	grown chan struct{}
}

func newLog() *lineLog { return &lineLog{grown: make(chan struct{})} }

func (l *lineLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	close(l.grown)
	l.grown = make(chan struct{})
	return len(b), nil
}

func (l *lineLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the log holds a text n times.
func (l *lineLog) await(t *testing.T, text string, n int) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		enough, grown := strings.Count(l.text.String(), text) >= n, l.grown
		l.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-grown:
		case <-timeout:
			t.Fatalf("not in the log %d times: %q\n%s", n, text, l)
		}
	}
}

// listen returns a listener on a free port of the loopback.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// serving runs serve in the background. end makes its context end and returns what it returned, as
// the test's end does.
func serving(t *testing.T, serve func(ctx context.Context) error) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var result error
	go func() {
		defer close(done)
		result = serve(ctx)
	}()
	end = func() error {
		cancel()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the server does not end")
		}
		return result
	}
	t.Cleanup(func() { _ = end() })
	return end
}
