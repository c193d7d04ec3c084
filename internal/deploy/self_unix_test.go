//go:build unix

package deploy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// drive is what this program does as a driver that a test starts: it makes a gateway as role says,
// and tells what its function says. Before that it has removed its file, or stops at the first
// bytes of an upload, or waits at the end, if role begins with such a word.
func drive(role string) {
	_ = os.Unsetenv(roleVariable) // a worker that it starts is one
	group := multi.NewGroup()
	removed := strings.HasPrefix(role, "removed ")
	if removed {
		if err := os.Remove(os.Args[0]); err != nil {
			panic(err)
		}
	}
	spec, held := strings.CutPrefix(strings.TrimPrefix(role, "removed "), "held ")
	group.Uploading = func(u multi.Upload) {
		fmt.Println("uploading", u.Sent)
		if held {
			select {} // it is killed in the middle
		}
	}
	gw, err := group.MakeGateway(context.Background(), spec)
	if err == nil {
		var n int
		n, err = gatewaybase.RemoteCall[int](context.Background(), gw, "words.count", "one two three")
		fmt.Println("counted", n)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// host is an ssh host with an empty home folder and without Python or Go.
type host struct {
	*sshdtest.Server
	home, bin string
}

// startHost starts a server, with lines for its configuration and variables for its sessions.
func startHost(t *testing.T, variables ...string) *host {
	t.Helper()
	h := &host{home: t.TempDir(), bin: t.TempDir()}
	for _, tool := range []string{"sh", "id", "uname", "ls", "mkdir", "cat", "chmod", "mv", "rm", "find", "touch", "sha256sum"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(h.bin, tool)))
	}
	setEnv := `SetEnv "PATH=` + h.bin + `" SHLVL=2 "HOME=` + h.home + `" "TMPDIR=` + t.TempDir() + `"`
	for _, variable := range variables {
		setEnv += ` "` + variable + `"`
	}
	h.Server = sshdtest.Start(t, setEnv)
	return h
}

// programs are the files in the cache folder of the host's user.
func (h *host) programs(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(h.home, ".cache/go-execnet/programs/*"))
	require.NoError(t, err)
	return all
}

// patience bounds what may take an upload of this program, on a busy machine.
const patience = 2 * time.Minute

// newGroup returns a group that ends with the test, and how many uploads it has begun.
func newGroup(t *testing.T) (*multi.Group, *atomic.Int32) {
	t.Helper()
	group, uploads := multi.NewGroup(), new(atomic.Int32)
	group.Stderr = t.Output()
	group.Uploading = func(u multi.Upload) {
		if u.Sent <= 128<<10 {
			uploads.Add(1)
		}
	}
	t.Cleanup(func() { require.NoError(t, group.Terminate(within.Soon(t))) })
	return group, uploads
}

func makeGateway(t *testing.T, group *multi.Group, spec string) *gatewaybase.Gateway {
	t.Helper()
	gw, err := group.MakeGateway(within.Time(t, patience), spec)
	require.NoError(t, err)
	return gw
}

// requireCounts has the far program call one of its functions.
func requireCounts(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	got, err := gatewaybase.RemoteCall[int](within.Time(t, patience), gw, "words.count", "these are four words")
	require.NoError(t, err)
	assert.Equal(t, 4, got)
}

// programOf is the path of the program that a gateway runs.
func programOf(t *testing.T, gw *gatewaybase.Gateway) string {
	t.Helper()
	path, err := gatewaybase.RemoteCall[string](within.Soon(t), gw, "words.program")
	require.NoError(t, err)
	return path
}

func TestSelfOverSSH(t *testing.T) {
	for name, key := range map[string]string{"built-in client": "", "ssh command": "//sshclient=openssh"} {
		t.Run(name, func(t *testing.T) {
			h := startHost(t)
			group, uploads := newGroup(t)
			first := makeGateway(t, group, h.Spec()+"//self//env:LANG=it's//chdir="+h.home+key)
			requireCounts(t, first)
			programs := h.programs(t)
			require.Len(t, programs, 1)
			assert.Regexp(t, `/[A-Za-z0-9._]+-[0-9a-f]{64}$`, programs[0])
			assert.Equal(t, programs[0], programOf(t, first))
			assert.EqualValues(t, 1, uploads.Load())

			// The next ones find it there, also those that need not be waited for.
			requireCounts(t, makeGateway(t, group, h.Spec()+"//self"+key))
			lazy, err := group.StartGateway(within.Soon(t), h.Spec()+"//self"+key)
			require.NoError(t, err)
			requireCounts(t, lazy)
			assert.EqualValues(t, 1, uploads.Load())
			assert.Equal(t, programs, h.programs(t))
		})
	}
}

// TestRoundTrips counts the round trips between a login and the first result, where the program is
// already. One opens the session, one starts the program, and one brings the call and its result;
// sshd takes no input before it has started a command.
func TestRoundTrips(t *testing.T) {
	h := startHost(t)
	r := sshdtest.NewRelay(t, h.Addr)
	require.NoError(t, h.Describe(r.Port))
	// No keepalive is counted.
	sshdtest.Write(t, h.ConfigFile, sshdtest.Read(t, h.ConfigFile)+"ServerAliveInterval 0\n")
	group, _ := newGroup(t)
	requireCounts(t, makeGateway(t, group, h.Spec()+"//self"))
	require.Equal(t, 1, r.Accepted(), "all that an upload needs takes one login, and what follows none")

	before := r.Turns()
	lazy, err := group.StartGateway(within.Soon(t), h.Spec()+"//self")
	require.NoError(t, err)
	requireCounts(t, lazy)
	assert.LessOrEqual(t, r.Turns()-before, 3, "StartGateway")

	before = r.Turns()
	requireCounts(t, makeGateway(t, group, h.Spec()+"//self"))
	assert.LessOrEqual(t, r.Turns()-before, 4, "MakeGateway waits for the program before it is called")
	assert.Equal(t, 1, r.Accepted())
}

// TestSelfThroughGateways has the program brought by a Python and by a Go worker that stand between
// this program and the host, and to where a Python runs.
func TestSelfThroughGateways(t *testing.T) {
	h := startHost(t)
	home := t.TempDir()
	group, uploads := newGroup(t)
	makeGateway(t, group, pythons.Default(t).Spec()+"//id=python//env:HOME="+home)
	makeGateway(t, group, "popen//self//id=go")
	for i, via := range []string{"python", "go"} {
		gw := makeGateway(t, group, h.Spec()+"//self//via="+via)
		requireCounts(t, gw)
		assert.Equal(t, h.programs(t)[0], programOf(t, gw))
		assert.EqualValues(t, 1, uploads.Load(), i)
	}
	for range 2 {
		gw := makeGateway(t, group, "popen//self//via=python//env:ANSWER=42")
		requireCounts(t, gw)
		assert.Equal(t, home+"/.cache/go-execnet/programs", filepath.Dir(programOf(t, gw)))
		assert.EqualValues(t, 2, uploads.Load())
	}
	// A worker in Go starts its own program.
	gw := makeGateway(t, group, "popen//self//via=go//env:ANSWER=42")
	requireCounts(t, gw)
	own, err := os.Executable()
	require.NoError(t, err)
	assert.Equal(t, own, programOf(t, gw))
	assert.EqualValues(t, 2, uploads.Load())
}

// TestNoShellBehindAGateway has a Python between this program and a machine that has no sh, as
// Windows.
func TestNoShellBehindAGateway(t *testing.T) {
	group, _ := newGroup(t)
	makeGateway(t, group, pythons.Default(t).Spec()+"//id=far//env:PATH="+t.TempDir())
	_, err := group.MakeGateway(within.Soon(t), "popen//self//via=far")
	var failed *gatewayio.DeployError
	require.ErrorAs(t, err, &failed)
	assert.ErrorContains(t, err, "cannot put the program on the machine of gateway far: it has no POSIX shell that is called sh, as on Windows; ")
}

// TestDeploy puts this program on a host, where a spec that names it makes it a worker.
func TestDeploy(t *testing.T) {
	h := startHost(t)
	group, uploads := newGroup(t)
	own, err := os.Executable()
	require.NoError(t, err)
	for range 2 {
		path, err := group.Deploy(within.Time(t, patience), h.Spec(), own)
		require.NoError(t, err)
		assert.Equal(t, h.programs(t), []string{path})
		requireCounts(t, makeGateway(t, group, h.Spec()+"//python="+path))
		assert.EqualValues(t, 1, uploads.Load())
	}
	_, err = group.Deploy(within.Soon(t), h.Spec(), "no such file")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "execnet: deploying: ")
	_, err = group.Deploy(within.Soon(t), "socket=127.0.0.1:1", own)
	assert.EqualError(t, err, "execnet: cannot put the program on 127.0.0.1:1: a socket server runs no shell")
	for _, client := range []string{"", "//sshclient=openssh"} {
		_, err = group.Deploy(within.Soon(t), "ssh=-p 1 nobody@127.0.0.1//ssh_config=/dev/null"+client, own)
		var missing *gatewayio.HostNotFoundError
		assert.ErrorAs(t, err, &missing)
	}
}

// TestStranger has a far end where the program does not become a worker.
func TestStranger(t *testing.T) {
	h := startHost(t, roleVariable+"=stranger")
	group, _ := newGroup(t)
	_, err := group.MakeGateway(within.Time(t, patience), h.Spec()+"//self//id=gw")
	require.ErrorContains(t, err, "the program ended without an answer (exit status 2); it has to call worker.ServeIfWorker() at the top of main; its stderr ended:\n  usage: stranger FILE")

	// One that drives instead of serving does not start others for ever.
	h = startHost(t, roleVariable+"=popen//self")
	_, err = group.MakeGateway(within.Time(t, patience), h.Spec()+"//self//id=gw")
	require.ErrorContains(t, err, "this program was started as a worker by self in a spec, and has not become one: call worker.ServeIfWorker() at the top of main")
}

// copyOfThis is a copy of this program, to be started in a role.
func copyOfThis(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	own, err := os.Executable()
	require.NoError(t, err)
	content, err := os.ReadFile(own)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.WriteFile(path, content, 0o700))
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = t.Output()
	return cmd
}

// TestRemovedProgram has drivers whose file is gone, as after a build or with go run.
func TestRemovedProgram(t *testing.T) {
	h := startHost(t)
	for _, spec := range []string{"popen//self", h.Spec() + "//self"} {
		out, err := copyOfThis(t, "removed "+spec).Output()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "counted 3\n", spec)
	}
	require.Len(t, h.programs(t), 1)
	assert.Regexp(t, `/copy-[0-9a-f]{64}$`, h.programs(t)[0])
}

// TestKilledDriver kills a driver in the middle of an upload.
func TestKilledDriver(t *testing.T) {
	h := startHost(t)
	driver := copyOfThis(t, "held "+h.Spec()+"//self")
	out, err := driver.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, driver.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, said, "uploading ")
	require.Eventually(t, func() bool { return len(hidden(h)) == 1 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, driver.Process.Kill())
	_, _ = io.Copy(io.Discard, out)
	assert.Error(t, driver.Wait())
	require.Eventually(t, func() bool { return len(h.programs(t)) == 0 && len(hidden(h)) == 0 }, 30*time.Second, 10*time.Millisecond,
		"%v %v", h.programs(t), hidden(h))
}

// hidden are the uploads that are under way, or have been left.
func hidden(h *host) []string {
	all, _ := filepath.Glob(filepath.Join(h.home, ".cache/go-execnet/programs/.upload-*"))
	return all
}
