//go:build unix

package command

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// runningServer is a server command that listens.
type runningServer struct {
	*exec.Cmd
	addr   string
	stderr bytes.Buffer // to be read once it has ended
}

func startServer(t *testing.T, args ...string) *runningServer {
	t.Helper()
	return startServerCommand(t, exec.Command(binary, args...))
}

func startServerCommand(t *testing.T, cmd *exec.Cmd) *runningServer {
	t.Helper()
	s := &runningServer{Cmd: cmd}
	s.Cmd.Stderr = &s.stderr
	out, err := s.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.Start())
	// it fails when the server has ended, as it should have
	t.Cleanup(func() { _ = s.Process.Kill() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(line, "listening on ")
	if !ok {
		_ = s.Wait()
		t.Fatalf("it does not listen: %s%s", line, &s.stderr)
	}
	s.addr = strings.TrimSpace(addr)
	return s
}

// interrupted sends a signal and waits for the end with its exit code.
func (s *runningServer) interrupted(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, s.Process.Signal(signal))
	s.ends(t, 128+int(signal))
}

func (s *runningServer) ends(t *testing.T, code int) {
	t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { _ = s.Process.Kill() })
	defer timer.Stop()
	_ = s.Wait() // the code tells
	assert.Equal(t, code, s.ProcessState.ExitCode(), "%s", &s.stderr)
}

// at makes a gateway and returns its worker's process id.
func at(t *testing.T, g *multi.Group, spec string) (*gatewaybase.Gateway, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	gw, err := g.MakeGateway(ctx, spec)
	require.NoError(t, err)
	info, err := gw.RInfo(ctx)
	require.NoError(t, err)
	return gw, info.PID
}

func assertGone(t *testing.T, pid int) {
	t.Helper()
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
}

func TestSocketServer(t *testing.T) {
	g := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		s := startServer(t, "socketserver", "0")
		assert.True(t, strings.HasPrefix(s.addr, "127.0.0.1:"), s.addr)
		_, first := at(t, g, "socket="+s.addr)
		_, second := at(t, g, "socket="+s.addr)
		s.interrupted(t, signal)
		assertGone(t, first)
		assertGone(t, second)
		assert.NotContains(t, s.stderr.String(), "warning")
		assert.Equal(t, 2, strings.Count(s.stderr.String(), "started"))
	}
	once := startServer(t, "socketserver", "--once", "0")
	gw, _ := at(t, g, "socket="+once.addr)
	gw.Exit()
	once.ends(t, 0)
}

func TestSocketServerTLS(t *testing.T) {
	g := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	ca := tlstest.NewAuthority(t)
	certificate, key := ca.IssueFiles(t, "127.0.0.1")
	s := startServer(t, "socketserver", "0.0.0.0:0", "--tls-cert", certificate, "--tls-key", key, "--client-ca", ca.File)
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	mine, myKey := ca.IssueFiles(t, "alice")
	_, pid := at(t, g, "socket=127.0.0.1:"+port+"//tls_ca="+ca.File+"//tls_cert="+mine+"//tls_key="+myKey)
	s.interrupted(t, syscall.SIGINT)
	assertGone(t, pid)
	assert.NotContains(t, s.stderr.String(), "warning")

	open := startServer(t, "socketserver", "0.0.0.0:0", "--tls-cert", certificate, "--tls-key", key)
	open.interrupted(t, syscall.SIGINT)
	assert.Contains(t, open.stderr.String(), "warning: whoever can connect can execute anything as this user")
}

// sshBox is a folder with the keys of an ssh server.
type sshBox struct{ dir, hostKey string }

func newSSHBox(t *testing.T) sshBox {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700)) // whatever the umask
	key := filepath.Join(dir, "id")
	sshdtest.Keygen(t, key)
	sshdtest.Copy(t, key+".pub", filepath.Join(dir, "keys"))
	return sshBox{dir, filepath.Join(dir, "host_key")}
}

func (b sshBox) command() *exec.Cmd {
	return exec.Command(binary, "sshserver", "0", "--host-key", b.hostKey, "--authorized-keys", filepath.Join(b.dir, "keys"))
}

// spec is that of a worker of the server that listens at addr.
func (b sshBox) spec(t *testing.T, addr string) string {
	t.Helper()
	_, port, _ := net.SplitHostPort(addr)
	known, config := filepath.Join(b.dir, "known_hosts"), filepath.Join(b.dir, "config")
	sshdtest.Write(t, known, fmt.Sprintf("[127.0.0.1]:%s %s", port, sshdtest.Run(t, "ssh-keygen", "-y", "-f", b.hostKey)))
	sshdtest.Write(t, config, "Host box\nHostName 127.0.0.1\nIdentityFile "+filepath.Join(b.dir, "id")+"\nIdentitiesOnly yes\nIdentityAgent none\n"+
		"StrictHostKeyChecking yes\nUserKnownHostsFile "+known+"\nGlobalKnownHostsFile "+os.DevNull+"\n")
	return "ssh=-p " + port + " box//python=execnet//ssh_config=" + config
}

func TestSSHServer(t *testing.T) {
	box := newSSHBox(t)
	s := startServerCommand(t, box.command())
	fingerprint := strings.Fields(sshdtest.Run(t, "ssh-keygen", "-l", "-f", box.hostKey))[1]
	spec := box.spec(t, s.addr)

	g := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	_, pid := at(t, g, spec)

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	pip := exec.CommandContext(ctx, pythons.WithExecnet(t), "-c", `
import sys, execnet
gw = execnet.makegateway(sys.argv[1])
ch = gw.remote_exec("for x in channel: channel.send(x * 2)")
ch.send(21)
print(ch.receive(20))
gw.exit()
execnet.default_group.terminate(5)
`, spec)
	pip.Stderr = t.Output()
	out, err := pip.Output()
	require.NoError(t, err)
	assert.Equal(t, "42\n", string(out))

	s.interrupted(t, syscall.SIGTERM)
	assertGone(t, pid)
	assert.Equal(t, 2, strings.Count(s.stderr.String(), "logged in"), s.stderr.String())
	assert.Contains(t, s.stderr.String(), "host key "+fingerprint)
}

// The workers of a server run source in the engine that its options say, unless the driver's spec
// says otherwise.
func TestServersTakeTheEngine(t *testing.T) {
	withPython(t)
	for _, test := range []struct{ option, key, want string }{
		{"gpython", "", "gpython"}, {"cpython", "", "CPython"}, {"cpython", "//engine=gpython", "gpython"},
	} {
		s := startServer(t, "socketserver", "--once", "--engine", test.option, "127.0.0.1:0")
		got := execnet(t, "", "exec", "--tx", "socket="+s.addr+test.key, "-c", wherever)
		assert.Contains(t, got.stdout, test.want, "%+v: %s", test, got.stderr)
		s.ends(t, 0)
	}
	s := startServer(t, "socketserver", "--once", "--engine", "cpython", "--python", "no-such-python", "127.0.0.1:0")
	got := execnet(t, "", "exec", "--tx", "socket="+s.addr, "-c", wherever)
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "no-such-python")
	s.ends(t, 0)
}
