//go:build unix

package compat_tests

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var listens = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// serve starts a server of the command, whose workers have this CPython behind them, and returns
// its port. It ends with the test.
func serve(t *testing.T, python string, args ...string) string {
	t.Helper()
	command, err := builtCommand()
	require.NoError(t, err)
	server := exec.Command(command, append(args, "--engine", "cpython", "--python", "'"+python+"'")...)
	server.Stderr = new(textbuffer.Buffer)
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(20*time.Second, func() { _ = server.Process.Kill() })
		_ = server.Wait() // it is ended by a signal
		assert.True(t, timer.Stop(), "the server does not end: %s", server.Stderr)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "%s", server.Stderr)
	found := listens.FindStringSubmatch(line)
	require.NotNil(t, found, line)
	return found[1]
}

// TestServersBehind reaches Go workers with a CPython behind them through the command's servers.
// (test_behind.py has a driver of Python's execnet do so.)
func TestServersBehind(t *testing.T) {
	independent(t)
	ssh := sshdtest.Start(t) // for its keys
	all := pythons.All(t)
	for _, p := range []pythons.Interpreter{all[0], all[len(all)-1]} {
		socket := "socket=" + net.JoinHostPort("127.0.0.1", serve(t, p.Path, "socketserver", "127.0.0.1:0"))
		port := serve(t, p.Path, "sshserver", "127.0.0.1:0", "--authorized-keys", ssh.AuthorizedKeysFile, "--host-key", ssh.HostKeyFile)
		require.NoError(t, ssh.Server.AddKnownHost(port, ssh.HostKeyFile+".pub"))
		config := filepath.Join(t.TempDir(), "config")
		sshdtest.Write(t, config, ssh.Server.ClientConfig(port))
		for name, spec := range map[string]string{
			"socketserver": socket,
			"sshserver":    "ssh=" + sshdtest.Alias + "//ssh_config=" + config + "//python=execnet",
		} {
			t.Run(p.Version()+" "+name, func(t *testing.T) {
				t.Parallel()
				channeltest.Run(t, opener(spec), ours(p).caps())
				t.Run("rsync", func(t *testing.T) {
					end := goEnd() // the Go worker receives
					end.specs = []string{spec}
					syncShapes(t, end)
				})
				t.Run("ends", func(t *testing.T) { checkEnds(t, spec) })
			})
		}
	}
}

// checkEnds has the CPython die, then the Go worker, and another one end with its gateway.
func checkEnds(t *testing.T, spec string) {
	group := newGroup(t, new(textbuffer.Buffer))
	gw := makeGateway(t, group, spec)
	ch := remoteExec(t, gw, bothPIDs+"channel.receive()")
	cpython, worker := pidsOf(t, ch)
	status, err := gw.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, execnet.RemoteStatus{NumExecuting: 1, NumChannels: 1, ExecModel: "thread"}, status)
	require.NoError(t, syscall.Kill(cpython, syscall.SIGKILL))
	var remote *execnet.RemoteError
	require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &remote)
	assert.Contains(t, remote.Formatted, "died (signal: killed)")
	ch = remoteExec(t, gw, bothPIDs+"channel.receive()")
	another, same := pidsOf(t, ch)
	assert.Equal(t, worker, same)
	require.NoError(t, syscall.Kill(worker, syscall.SIGKILL))
	var died *execnet.GatewayDiedError
	require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
	requireEnded(t, []int{cpython, another, worker}, 10*time.Second)

	gw = makeGateway(t, group, spec)
	cpython, worker = pidsOf(t, remoteExec(t, gw, bothPIDs+"channel.receive()"))
	assert.NotEqual(t, os.Getpid(), worker)
	gw.Exit()
	require.NoError(t, gw.Join(within.Soon(t)))
	requireEnded(t, []int{cpython, worker}, 20*time.Second)
}
