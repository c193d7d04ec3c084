//go:build unix

package server_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	_ "github.com/go-execnet/execnet/gpython" // runs the Python source of the tests
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker"
)

func init() { server.WorkerMain = worker.Main }

// commands are the workers that these tests run against.
var commands = map[string]func(t *testing.T) server.Command{"go": server.GoWorker, "python": server.Python}

func newGroup(t *testing.T) *multi.Group {
	t.Helper()
	g := multi.NewGroup()
	g.Stderr = t.Output()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	return g
}

// working makes a gateway and has it compute something.
func working(t *testing.T, g *multi.Group, spec string) *gatewaybase.Gateway {
	t.Helper()
	gw, err := g.MakeGateway(within.Soon(t), spec)
	require.NoError(t, err, spec)
	ch, err := gw.RemoteExec(t.Context(), "channel.send(channel.receive() * 2)")
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), "ab"))
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err, spec)
	assert.Equal(t, "abab", item)
	return gw
}

func info(t *testing.T, gw *gatewaybase.Gateway) gatewaybase.RInfo {
	t.Helper()
	info, err := gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	return info
}

func TestGatewaysOverSSH(t *testing.T) {
	for name, command := range commands {
		t.Run(name, func(t *testing.T) {
			s, g := server.StartSSH(t, command(t)), newGroup(t)
			for _, extra := range []string{"//python=execnet", "", "//python=nice -n 1 python3", "//dont_write_bytecode"} {
				working(t, g, "ssh=box//ssh_config="+s.Config+extra)
				working(t, g, "ssh=box//sshclient=openssh//ssh_config="+s.Config+extra)
			}
			_, err := g.MakeGateway(within.Soon(t), "ssh=box//ssh_config="+s.Config+"//python=cd /; python3")
			assert.ErrorContains(t, err, "this is no sshd")
			assert.ErrorContains(t, err, "exit status 127")
		})
	}
}

func TestEachGatewayHasItsProcess(t *testing.T) {
	const many = 24 // more than the native client puts on one connection at first
	s, g := server.StartSSH(t, server.GoWorker(t)), newGroup(t)
	dir := t.TempDir()
	infos := make([]gatewaybase.RInfo, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			spec := "ssh=box//ssh_config=" + s.Config + "//chdir=" + filepath.Join(dir, string(rune('a'+i)))
			gw, err := g.MakeGateway(within.Soon(t), spec)
			if assert.NoError(t, err) {
				infos[i], err = gw.RInfo(within.Soon(t))
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	pids := map[int]bool{}
	for i, info := range infos {
		assert.Equal(t, filepath.Join(dir, string(rune('a'+i))), info.CWD)
		pids[info.PID] = true
	}
	assert.Len(t, pids, many)
	_ = s.End()
	for pid := range pids {
		assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	}
}

func TestSSHGatewayDies(t *testing.T) {
	s, g := server.StartSSH(t, server.GoWorker(t)), newGroup(t)
	gw := working(t, g, "ssh=box//ssh_config="+s.Config)
	ch, err := gw.RemoteExec(t.Context(), "channel.receive()")
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(info(t, gw).PID, syscall.SIGKILL))
	_, err = ch.Receive(within.Soon(t))
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, err, &died)
	assert.Equal(t, os.Signal(syscall.SIGKILL), died.Exit.Signal)

	// A gateway that is killed here has its worker killed there.
	gw = working(t, g, "ssh=box//ssh_config="+s.Config)
	pid := info(t, gw).PID
	ch, err = gw.RemoteExec(t.Context(), "while True: pass")
	require.NoError(t, err)
	require.NoError(t, g.Terminate(within.Time(t, 100*time.Millisecond)))
	_, err = ch.Receive(within.Soon(t))
	assert.Error(t, err)
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 10*time.Second, 10*time.Millisecond)
}

func TestGatewaysOverSockets(t *testing.T) {
	s, g := server.StartSocket(t, server.Socket{Command: server.GoWorker(t)}), newGroup(t)
	first, second := working(t, g, "socket="+s.Addr), working(t, g, "socket="+s.Addr+"//chdir=/")
	assert.NotEqual(t, info(t, first).PID, info(t, second).PID)
	assert.Equal(t, "/", info(t, second).CWD)
	assert.NotEqual(t, "/", info(t, first).CWD)

	ca := tlstest.NewAuthority(t)
	certificate, key := ca.IssueFiles(t, "127.0.0.1")
	config, err := server.TLSConfig(certificate, key, ca.File)
	require.NoError(t, err)
	secure := server.StartSocket(t, server.Socket{Command: server.GoWorker(t), TLS: config})
	mine, myKey := ca.IssueFiles(t, "alice")
	trusting := "socket=" + secure.Addr + "//tls_ca=" + ca.File
	gw := working(t, g, trusting+"//tls_cert="+mine+"//tls_key="+myKey)
	ch, err := gw.RemoteExec(t.Context(), "channel.receive()")
	require.NoError(t, err)
	secure.Await(t, `started for "CN=alice"`)

	for text, says := range map[string]string{
		trusting:                          "tls_cert=FILE",
		"socket=" + secure.Addr + "//tls": "tls_ca=FILE",
		"socket=" + s.Addr + "//tls":      "perhaps it does not speak TLS",
	} {
		_, err := g.MakeGateway(within.Soon(t), text)
		var failed *gatewayio.TLSError
		assert.ErrorAs(t, err, &failed, text)
		assert.ErrorContains(t, err, says)
	}
	s.Await(t, "it speaks TLS, and this server does not")
	_, err = g.MakeGateway(within.Soon(t), "socket="+secure.Addr)
	assert.Error(t, err, "without TLS")

	assert.ErrorIs(t, secure.End(), context.Canceled)
	_, err = ch.Receive(within.Soon(t))
	assert.Error(t, err)
}

// pip is a driver of Python's execnet; its arguments are specs.
const pip = `
import sys, execnet
for spec in sys.argv[1:]:
    gateways = [execnet.makegateway(spec) for i in range(3)]
    channels = [gw.remote_exec("for x in channel: channel.send(x)") for gw in gateways]
    for i, ch in enumerate(channels):
        for value in (i, "\u20ac", {"a": [1.5, None, b"x" * 300000]}):
            ch.send(value)
            assert ch.receive(20) == value
    for gw in gateways:
        gw.exit()
        gw.join(20)
print("ok")
execnet.default_group.terminate(5)
`

func TestFromPython(t *testing.T) {
	sshd, socket := server.StartSSH(t, server.GoWorker(t)), server.StartSocket(t, server.Socket{Command: server.GoWorker(t)})
	cmd := exec.CommandContext(within.Soon(t), pythons.WithExecnet(t), "-c", pip,
		"socket="+socket.Addr, "ssh=box//python=execnet//ssh_config="+sshd.Config, "ssh=-p "+sshd.Port+" box//ssh_config="+sshd.Config)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	assert.Equal(t, "ok\n", string(out))
	assert.ErrorIs(t, sshd.End(), context.Canceled)
	assert.ErrorIs(t, socket.End(), context.Canceled)
	assert.NotContains(t, sshd.Log.String(), "signal")
}
