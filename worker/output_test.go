package worker

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// TestOutput prints and logs in a Go worker.
func TestOutput(t *testing.T) {
	var mu sync.Mutex
	var lines []multi.Line
	var logged bytes.Buffer // one goroutine at a time writes, and Terminate waits for it
	group := &multi.Group{Stderr: t.Output(), Output: func(line multi.Line) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}, SlogHandler: slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})}
	end := func() { require.NoError(t, group.Terminate(within.Time(t, 10*time.Second))) }
	t.Cleanup(end)
	gw, err := group.MakeGateway(within.Soon(t), "popen//self")
	require.NoError(t, err)
	_, err = gw.RemoteCall(within.Soon(t), "textstats.print", "printed")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(lines) == 1
	}, 10*time.Second, time.Millisecond)
	assert.Equal(t, multi.Line{Gateway: "gw0", Stream: multi.Stdout, Text: "printed"}, lines[0])
	_, err = gw.RemoteCall(within.Soon(t), "textstats.log")
	require.NoError(t, err)
	const many = 200_000 // 1.3 MB
	_, err = gw.RemoteCall(within.Soon(t), "textstats.flood", many)
	require.NoError(t, err)
	// What a crash leaves in the pipe of a Go worker is lost.
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(lines) >= many+1
	}, 20*time.Second, time.Millisecond)
	_, err = gw.RemoteCall(within.Soon(t), "textstats.panic")
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, err, &died)
	assert.Contains(t, died.Exit.Stderr, "panic: at the disco")
	end()
	var stdout, stderr []string
	for _, line := range lines {
		if line.Stream == multi.Stdout {
			stdout = append(stdout, line.Text)
		} else {
			stderr = append(stderr, line.Text)
		}
	}
	require.GreaterOrEqual(t, len(stdout), many+1)
	for i, text := range stdout[1 : many+1] {
		require.Equal(t, fmt.Sprint(i), text)
	}
	assert.Contains(t, stderr, "panic: at the disco")
	records := strings.Split(strings.TrimSpace(logged.String()), "\n")
	require.Len(t, records, 3)
	assert.Regexp(t, `^time=\S+ level=INFO msg="by slog" gateway=gw0 logger=slog file=\S+/main_test.go line=\d+ function=\S+ number=5 group.word=w group.wait=1s$`, records[0])
	assert.Regexp(t, `^time=\S+ level=ERROR msg=deeper gateway=gw0 logger=slog file=\S+/main_test.go line=\d+ function=\S+ a=true g.b=1.5$`, records[1])
	assert.Regexp(t, `^time=\S+ level=INFO msg="by log" gateway=gw0 logger=slog `, records[2])
}

// TestOutputStuck has a func that never returns. It holds up neither the worker's programs nor the
// end.
func TestOutputStuck(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	group := &multi.Group{Stderr: t.Output(), Output: func(multi.Line) { <-release }}
	gw, err := group.MakeGateway(within.Soon(t), "popen//self")
	require.NoError(t, err)
	_, err = gw.RemoteCall(within.Soon(t), "textstats.flood", 2_000_000)
	require.NoError(t, err)
	got, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "textstats.count", "these are four words")
	require.NoError(t, err)
	assert.Equal(t, 4, got)
	require.NoError(t, group.Terminate(within.Time(t, 10*time.Second)))
	assert.Equal(t, gatewaybase.Exit{Known: true}, gw.ExitStatus(), "it has ended by itself")
}
