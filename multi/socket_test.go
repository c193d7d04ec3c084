//go:build unix

package multi_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

// socketServer runs the socketserver script of pip's execnet and returns its address and how to end
// it.
func socketServer(t *testing.T) (address string, stop func()) {
	t.Helper()
	cmd := exec.Command(pythons.WithExecnet(t), "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	stop = func() {
		_ = cmd.Process.Kill() // fails when it has been stopped already
		_ = cmd.Wait()
	}
	t.Cleanup(stop)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		// Entering Accept loop ('127.0.0.1', 41373)
		if _, place, ok := strings.Cut(lines.Text(), "Accept loop ('127.0.0.1', "); ok {
			return "127.0.0.1:" + strings.TrimSuffix(place, ")"), stop
		}
	}
	t.Fatal("the socket server did not start")
	return "", nil
}

func TestSocketServerOfExecnet(t *testing.T) {
	t.Parallel()
	address, stop := socketServer(t)
	g := newGroup(t)
	for _, extra := range []string{"", "//bootstrap=import", "//execmodel=main_thread_only", "//execmodel=thread//bootstrap=import"} {
		gw := makeGateway(t, g, "socket="+address+extra)
		assert.Equal(t, address, gw.RemoteAddress())
		requireWorks(t, gw)
		requireEcho(t, gw, 2<<20)
		status, err := gw.RemoteStatus(within.Soon(t))
		require.NoError(t, err)
		if strings.Contains(extra, "main_thread_only") {
			assert.Equal(t, "main_thread_only", status.ExecModel)
		} else {
			assert.Equal(t, "thread", status.ExecModel)
		}
		require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)), "the server takes one connection after another")
	}
	folder := t.TempDir()
	gw := makeGateway(t, g, "socket="+address+"//chdir="+folder+"//env:EXECNET_GO_TEST=1")
	ch, err := gw.RemoteExec(t.Context(), "import os; channel.send([os.getcwd(), os.environ['EXECNET_GO_TEST']])")
	require.NoError(t, err)
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []any{folder, "1"}, item)

	ch, err = gw.RemoteExec(t.Context(), "channel.receive()")
	require.NoError(t, err)
	stop()
	_, err = ch.Receive(within.Soon(t))
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, err, &died)
	assert.False(t, died.Exit.Known)
}

// TestInstallVia starts a server behind each CPython, and one behind a gateway that runs pip's
// execnet.
func TestInstallVia(t *testing.T) {
	t.Parallel()
	specs := []string{"popen//bootstrap=import//python=" + pythons.WithExecnet(t), "popen//execmodel=gevent//python=" + pythons.WithExecnet(t)}
	for _, python := range pythons.All(t) {
		specs = append(specs, python.Spec())
	}
	for _, spec := range specs {
		t.Run(spec, func(t *testing.T) {
			g := newGroup(t)
			host := makeGateway(t, g, spec+"//id=host")
			for range 2 {
				gw := makeGateway(t, g, "socket//installvia=host")
				assert.Equal(t, pid(t, host), pid(t, gw), "it lives in the same interpreter")
				assert.True(t, strings.HasPrefix(gw.RemoteAddress(), "127.0.0.1:"), gw.RemoteAddress())
				requireWorks(t, gw)
				requireEcho(t, gw, 1<<20)
			}
			requireWorks(t, host)
			require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
			assert.Zero(t, g.Len())
		})
	}
	g := newGroup(t)
	_, err := g.MakeGateway(within.Soon(t), "socket//installvia=nobody")
	var wrong *xspec.Error
	assert.ErrorAs(t, err, &wrong)
	makeGateway(t, g, "popen//id=far")
	makeGateway(t, g, "popen//via=far//id=farther")
	requireWorks(t, makeGateway(t, g, "socket//installvia=farther"))
}

// TestSocketBehindAGateway connects to the server of pip's execnet from where another gateway runs.
func TestSocketBehindAGateway(t *testing.T) {
	t.Parallel()
	address, _ := socketServer(t)
	g := newGroup(t)
	makeGateway(t, g, "")
	for range 2 {
		gw := makeGateway(t, g, "socket="+address+"//via=gw0//id=far")
		assert.Equal(t, address, gw.RemoteAddress())
		requireWorks(t, gw)
		requireEcho(t, gw, 2<<20)
		gw.Exit()
		require.NoError(t, gw.Join(within.Soon(t)))
		require.NoError(t, gw.Join(within.Soon(t)))
	}
}

func TestSocketErrors(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	var notFound *gatewayio.HostNotFoundError

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err = g.MakeGateway(short, "socket="+address) // accepted by the system, answered by nobody
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	require.NoError(t, listener.Close())

	_, err = g.MakeGateway(within.Soon(t), "socket="+address)
	require.ErrorAs(t, err, &notFound)
	assert.Equal(t, address, notFound.Host)
	assert.ErrorContains(t, err, "refused")
	_, err = g.MakeGateway(within.Soon(t), "socket=no-such-host.invalid:8888")
	require.ErrorAs(t, err, &notFound)
	assert.ErrorContains(t, err, "no-such-host.invalid")
	for _, wrong := range []string{"localhost", "localhost:", "::1:88"} {
		_, err = g.MakeGateway(within.Soon(t), "socket="+wrong)
		assert.ErrorContains(t, err, "write host:port", wrong)
	}
}

// TestSocketGarbage has something else listen there.
func TestSocketGarbage(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if conn, err := listener.Accept(); err == nil {
			fmt.Fprint(conn, "220 mail.example ESMTP\r\n")
			_, _ = bufio.NewReader(conn).ReadString('\n') // whatever it is
			conn.Close()
		}
	}()
	g := newGroup(t)
	_, err = g.MakeGateway(within.Soon(t), "socket="+listener.Addr().String())
	assert.ErrorContains(t, err, "220 mail.example ESMTP")
	<-served
}
