//go:build unix

package deploy_test

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/containers"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSelfInContainers brings this program to containers without a Python.
func TestSelfInContainers(t *testing.T) {
	stand := containers.Start(t)
	group, uploads := newGroup(t)
	for i, spec := range []string{"docker=bare", "podman=bare", "kubectl=bare//namespace=shop//env:GOGC=50"} {
		gw := makeGateway(t, group, spec+"//self//env:SECRET=a b//chdir="+t.TempDir())
		requireCounts(t, gw)
		assert.Equal(t, int32(1), uploads.Load(), "it is there the next time")
		path, err := gatewaybase.RemoteCall[string](within.Time(t, patience), gw, "words.program")
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(stand.Home, ".cache/go-execnet/programs"), filepath.Dir(path))
		want := 3 // looking for it, the upload, the start
		if i > 0 {
			want = 1
		}
		assert.Len(t, stand.Calls(t), want)
	}
	makeGateway(t, group, "popen//id=host//python="+pythons.Default(t).Path)
	makeGateway(t, group, "popen//id=gohost//self")
	for _, host := range []string{"host", "gohost"} {
		requireCounts(t, makeGateway(t, group, "docker=bare//self//via="+host))
	}

	// A worker ends when what stands between ends, also one that is stuck.
	for _, function := range []string{"words.pid", "words.stuck"} {
		gw := makeGateway(t, group, "docker=bare//self")
		pid, err := gatewaybase.RemoteCall[int](within.Time(t, patience), gw, "words.pid")
		require.NoError(t, err)
		called := make(chan error, 1)
		go func() {
			_, err := gatewaybase.RemoteCall[any](within.Time(t, patience), gw, function)
			called <- err
		}()
		if function == "words.pid" {
			require.NoError(t, <-called)
		}
		require.NoError(t, gw.Kill())
		if function != "words.pid" {
			require.Error(t, <-called)
		}
		require.Eventually(t, func() bool {
			// Where process 1 reaps nobody, what has ended is still listed, with state Z.
			state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
			return err != nil || strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
		}, 2*time.Minute, 10*time.Millisecond, "the worker %d is left", pid)
	}

	start := func(spec string) error {
		_, err := group.MakeGateway(within.Time(t, patience), spec+"//self")
		require.Error(t, err)
		return err
	}
	var failed *gatewayio.ContainerError
	require.ErrorAs(t, start("podman=idle"), &failed)
	assert.Equal(t, gatewayio.ContainerStopped, failed.Problem)
	require.ErrorAs(t, start("docker=gone"), &failed)
	assert.Equal(t, gatewayio.ContainerMissing, failed.Problem)
	var noShell *gatewayio.DeployError
	require.ErrorAs(t, start("docker=slim"), &noShell)
	assert.ErrorContains(t, noShell, "execnet: cannot put the program on container slim: its shell has run no sh script to the end (exit status 127); it needs a POSIX shell")
	var missing *gatewayio.StartError
	t.Setenv("PATH", t.TempDir())
	require.ErrorAs(t, start("docker=bare"), &missing)
}
