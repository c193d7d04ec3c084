//go:build platforms && linux

package deploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/containers"
	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// TestPodman has gateways to containers of a real podman.
func TestPodman(t *testing.T) {
	podman := containers.StartPodman(t)
	group, uploads := newGroup(t)
	makeGateway(t, group, "popen//id=host//python="+pythons.Default(t).Path)

	t.Run("python", func(t *testing.T) {
		for _, rest := range []string{"", "//python=python3 -E", "//via=host"} {
			gw := makeGateway(t, group, "podman="+podman.Box+rest+"//chdir=/srv/new folder//env:SECRET=a 'b' $HOME//env:TZ=x y//env:PYTHONPATH=/opt/$HOME//dont_write_bytecode")
			ch, err := gw.RemoteExec(t.Context(), `
				import os, sys
				channel.send((os.getcwd(), os.environ["SECRET"], os.environ["TZ"], os.environ["PYTHONPATH"], sys.dont_write_bytecode, os.path.exists("/usr/bin/podman")))
				channel.send(channel.receive())
			`)
			require.NoError(t, err)
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, serializer.Tuple{"/srv/new folder", "a 'b' $HOME", "x y", "/opt/$HOME", true, false}, item)
			large := strings.Repeat("x", 5<<20)
			require.NoError(t, ch.Send(within.Soon(t), large))
			item, err = ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.True(t, item == large)
		}
	})
	t.Run("self", func(t *testing.T) {
		for range 2 {
			requireCounts(t, makeGateway(t, group, "podman="+podman.Bare+"//self//chdir=/srv"))
		}
		assert.Equal(t, int32(1), uploads.Load())
		requireCounts(t, makeGateway(t, group, "podman="+podman.Bare+"//self//via=host"))
	})
	t.Run("errors", func(t *testing.T) {
		start := func(spec string) error {
			_, err := group.MakeGateway(within.Time(t, patience), spec)
			require.Error(t, err)
			return err
		}
		for _, rest := range []string{"", "//self", "//via=host"} {
			var failed *gatewayio.ContainerError
			require.ErrorAs(t, start("podman=no-such-container"+rest), &failed)
			assert.Equal(t, gatewayio.ContainerMissing, failed.Problem)
			require.ErrorAs(t, start("podman="+podman.Idle+rest), &failed)
			assert.Equal(t, gatewayio.ContainerStopped, failed.Problem)
		}
		for _, spec := range []string{podman.Bare, podman.Box + "//python=python9", podman.Box + "//python=/opt/python9"} {
			var missing *gatewayio.PythonNotFoundError
			require.ErrorAs(t, start("podman="+spec), &missing)
			assert.Contains(t, missing.Host, "container ")
		}
		var failed *bootstrap.Error
		err := start("popen//python=podman exec " + podman.Box + " python3")
		require.ErrorAs(t, err, &failed)
		assert.ErrorContains(t, err, "podman exec without -i gives no input")
	})
	t.Run("stopped meanwhile", func(t *testing.T) {
		gw := makeGateway(t, group, "podman="+podman.Box)
		ch, err := gw.RemoteExec(t.Context(), "import os; os.kill(os.getpid(), 9)")
		require.NoError(t, err)
		err = ch.WaitClose(within.Soon(t))
		var died *gatewaybase.GatewayDiedError
		require.ErrorAs(t, err, &died)
		assert.Equal(t, 137, died.Exit.Code)
	})
	require.NoError(t, group.Terminate(within.Soon(t)))
	t.Run("nothing is left", func(t *testing.T) {
		const workerWord = "sys.stdin.readline" // of its command line
		processes := func(container string) string {
			return podman.Run(t, container, "sh", "-c", "cat /proc/[0-9]*/cmdline")
		}
		group, _ := newGroup(t)
		for _, source := range []string{"channel.receive()", "while True: pass", "import ctypes; ctypes.PyDLL(None).sleep(600)"} {
			gw := makeGateway(t, group, "podman="+podman.Box)
			ch, err := gw.RemoteExec(t.Context(), "channel.send(1)\n"+source)
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			require.NoError(t, err)
			require.Contains(t, processes(podman.Box), workerWord)
			require.NoError(t, gw.Kill())
		}
		require.NoError(t, group.Terminate(within.Soon(t)))

		for _, spec := range []string{"podman=" + podman.Bare + "//self", "podman=" + podman.Bare + "//self//env:GOGC=50"} {
			driver := drivers.Start(t, spec)
			driver.Ready(t)
			driver.Kill()
		}
		for _, container := range []string{podman.Box, podman.Bare} {
			require.Eventually(t, func() bool { return !strings.Contains(processes(container), workerWord) }, 2*time.Minute, 200*time.Millisecond, "a worker is left in %s", container)
		}
	})
	t.Run("container killed", func(t *testing.T) {
		group, _ := newGroup(t)
		gw := makeGateway(t, group, "podman="+podman.Box)
		ch, err := gw.RemoteExec(t.Context(), "channel.send(1); channel.receive()")
		require.NoError(t, err)
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		containers.RunPodman(t, nil, "kill", podman.Box)
		var died *gatewaybase.GatewayDiedError
		require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
		assert.Equal(t, 137, died.Exit.Code)
	})
}
