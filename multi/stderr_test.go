//go:build unix

package multi_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/gate"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// TestStderrThatTakesNoMore has a Scanner as the reader of a group's stderr, which stops at a line
// that is too long for it. The group ends in time all the same, and what a gateway behind ssh
// prints does not hold up its channels.
func TestStderrThatTakesNoMore(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	python := pythons.Default(t)
	for name, spec := range map[string]string{
		"popen": python.Spec(),
		"via":   python.Spec() + "//via=host",
		"ssh":   server.Spec() + "//python=" + python.Path,
	} {
		t.Run(name, func(t *testing.T) {
			reader, writer := io.Pipe()
			g := &multi.Group{DefaultSpec: python.Spec(), Stderr: writer}
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				for lines := bufio.NewScanner(reader); lines.Scan(); {
				}
			}()
			t.Cleanup(func() { assert.NoError(t, reader.Close()) }) // its goroutines end
			makeGateway(t, g, "popen//id=host")
			gw := makeGateway(t, g, spec)
			pids := []int{pid(t, g.Get("host")), pid(t, gw)}
			ch, err := gw.RemoteExec(t.Context(), `
				import os
				os.write(2, b"x" * 70000 + b"\n")
				channel.receive()
				if channel.receive():
					for i in range(60):
						os.write(2, b"x" * 100000)
					for i in range(60):
						channel.send(b"y" * 100000)
			`)
			require.NoError(t, err)
			<-stopped
			require.NoError(t, ch.Send(t.Context(), nil))
			require.NoError(t, ch.Send(t.Context(), name == "ssh"))
			items := 0
			for _, err := range ch.Items(within.Soon(t)) {
				require.NoError(t, err)
				items++
			}
			if name == "ssh" {
				assert.Equal(t, 60, items)
			}
			begin := time.Now()
			require.NoError(t, g.Terminate(within.Time(t, 5*time.Second)))
			assert.Less(t, time.Since(begin), 15*time.Second)
			for _, pid := range pids {
				requireGone(t, pid)
			}
		})
	}
}

// TestSlowStderr says what was left out of a gateway's stderr over ssh, and leaves out nothing of
// a local one, which waits instead.
func TestSlowStderr(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	python := pythons.Default(t)
	// More than the session's window (2 MiB), what may wait (1 MiB) and the pipes hold.
	const size = 8 << 20
	for name, spec := range map[string]string{"popen": python.Spec(), "ssh": server.Spec() + "//python=" + python.Path} {
		t.Run(name, func(t *testing.T) {
			to := gate.New()
			g := &multi.Group{Stderr: to}
			t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
			gw := makeGateway(t, g, spec)
			ch, err := gw.RemoteExec(t.Context(), `
				import os
				for i in range(8 << 10):
					os.write(2, b"x" * 1023 + b"\n")
				os.write(2, b"all\n")
			`)
			require.NoError(t, err)
			if name == "ssh" {
				require.NoError(t, ch.WaitClose(within.Soon(t)))
				to.Open()
				require.Eventually(t, func() bool { return strings.Contains(to.String(), " bytes were left out here") }, 10*time.Second, 10*time.Millisecond)
				return
			}
			time.Sleep(100 * time.Millisecond)
			to.Open()
			require.NoError(t, ch.WaitClose(within.Soon(t)))
			require.Eventually(t, func() bool { return strings.HasSuffix(to.String(), "\nall\n") }, 10*time.Second, 10*time.Millisecond)
			assert.Len(t, to.String(), size+len("all\n"))
		})
	}
}
