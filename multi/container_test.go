//go:build unix

package multi_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/containers"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// TestContainers has gateways to interpreters in containers, with everything that a spec can say.
func TestContainers(t *testing.T) {
	stand := containers.Start(t)
	g := newGroup(t)
	makeGateway(t, g, "popen//id=host")
	for _, command := range containers.Commands() {
		t.Run(command, func(t *testing.T) {
			for _, spec := range []string{"=box", "=slim//python=python3", "=box//via=host", "=slim//python=python3//via=host"} {
				gw := makeGateway(t, g, command+spec)
				requireWorks(t, gw)
				assert.Contains(t, command+spec, "="+gw.RemoteAddress())
			}
			gw, err := g.StartGateway(within.Soon(t), command+"=box")
			require.NoError(t, err)
			requireWorks(t, gw)
			stand.Calls(t)

			folder := filepath.Join(t.TempDir(), "new", "folder with 'blanks' and $HOME")
			gw = makeGateway(t, g, command+"=box//dont_write_bytecode//nice=3//chdir="+folder+"//env:SECRET=pass word//env:PYTHONHASHSEED=7//env:TZ=a b'c$HOME\"d//id="+command)
			assert.Equal(t, "box", gw.RemoteAddress())
			called := stand.Calls(t)
			require.Len(t, called, 1)
			assert.Equal(t, []string{command, "exec", "-i"}, called[0][:3])
			assert.NotContains(t, called[0], "SECRET=pass word", "it does not stand in the list of processes")
			assert.Contains(t, called[0], "TZ=a b'c$HOME\"d")
			assert.Contains(t, called[0][len(called[0])-1], "exec $p -u -B -c ")
			ch, err := gw.RemoteExec(t.Context(), `
				import os, sys
				channel.send((os.getcwd(), os.nice(0) - channel.receive(), os.environ["SECRET"], os.environ["TZ"],
					hash("a") and os.environ["PYTHONHASHSEED"], sys.flags.hash_randomization, sys.dont_write_bytecode, "HOME" in os.environ and os.environ["HOME"]))
			`)
			require.NoError(t, err)
			nice, err := gatewaybase.RemoteCall[int](within.Soon(t), g.Get("host"), "os.nice", 0)
			require.NoError(t, err)
			require.NoError(t, ch.Send(t.Context(), nice))
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			real, err := filepath.EvalSymlinks(folder)
			require.NoError(t, err)
			assert.Equal(t, serializer.Tuple{real, int64(min(nice+3, 19) - nice), "pass word", "a b'c$HOME\"d", "7", int64(1), true, stand.Home}, item)
		})
	}
}

// TestContainerErrors tells apart what can be wrong.
func TestContainerErrors(t *testing.T) {
	containers.Start(t)
	g := newGroup(t)
	makeGateway(t, g, "popen//id=host")
	for _, command := range containers.Commands() {
		thing := map[bool]string{true: "pod ", false: "container "}[command == "kubectl"]
		for _, via := range []string{"", "//via=host"} {
			start := func(rest string) error {
				_, err := g.MakeGateway(within.Soon(t), command+"="+rest+via)
				require.ErrorContains(t, err, "execnet: ")
				return err
			}
			for name, want := range map[string]struct {
				problem gatewayio.ContainerProblem
				says    string
			}{
				"gone": {gatewayio.ContainerMissing, "execnet: there is no " + thing + "gone (" + command + " says: Error"},
				"idle": {gatewayio.ContainerStopped, "execnet: " + thing + "idle does not run (" + command + " says: "},
				"far":  {gatewayio.ContainerUnreachable, "execnet: " + thing + "far cannot be reached (" + command + " says: "},
			} {
				var failed *gatewayio.ContainerError
				err := start(name)
				require.ErrorAs(t, err, &failed, command+via)
				assert.Equal(t, want.problem, failed.Problem)
				assert.Equal(t, command, failed.Command)
				assert.Equal(t, name, failed.Name)
				assert.ErrorContains(t, err, want.says)
				var cause *bootstrap.Error
				assert.ErrorAs(t, err, &cause)
				require.ErrorAs(t, start(name+"//python=python3.99"), &failed)
			}
			for spec, tried := range map[string]string{
				"bare": "python3 or python", "slim": "python3 or python", "box//python=python9": "python9", "slim//python=python9 -E": "python9 -E",
				"box//python=sh -c 'exec python9'": "sh -c 'exec python9'",
			} {
				name, _, _ := strings.Cut(spec, "//")
				var missing *gatewayio.PythonNotFoundError
				err := start(spec)
				require.ErrorAs(t, err, &missing, command+"="+spec+via)
				assert.ErrorContains(t, err, "execnet: no Python found on "+thing+name+": there is no "+tried, spec)
			}
			// A Python that does not become a worker is another matter.
			var failed *bootstrap.Error
			require.ErrorAs(t, start("box//python=sh -c 'echo this is not running >&2; exit 5'"), &failed)
			assert.Equal(t, 5, failed.Exit.Code)
			if command == "kubectl" {
				assert.ErrorContains(t, start("slim//python=python3//env:TZ=UTC"), "needs the program env in the pod")
			}
		}
	}
	var failed *gatewayio.StartError
	for _, python := range []string{"'", " "} {
		_, err := g.MakeGateway(within.Soon(t), "docker=box//python="+python)
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, "python= in the spec", failed.Source)
	}
	t.Setenv("PATH", t.TempDir())
	for _, command := range containers.Commands() {
		_, err := g.MakeGateway(within.Soon(t), command+"=box")
		require.ErrorAs(t, err, &failed)
		assert.ErrorContains(t, err, `execnet: cannot start "`+command+`" (for `+command+`=): executable file not found in $PATH`)
	}
}

// TestNothingIsLeftInContainers kills what stands between here and workers in containers, whose
// processes nothing but the end of their stdin ends: one that waits, one that computes, and one
// that is stuck in C code.
func TestNothingIsLeftInContainers(t *testing.T) {
	containers.Start(t)
	g := newGroup(t)
	var pids []int
	for _, source := range []string{
		"channel.receive()", "while True: pass", `import ctypes; ctypes.PyDLL(None).sleep(600)`,
	} {
		gw := makeGateway(t, g, "docker=box")
		pids = append(pids, pid(t, gw))
		ch, err := gw.RemoteExec(t.Context(), "channel.send(1)\n"+source)
		require.NoError(t, err)
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		require.NoError(t, gw.Kill())
	}
	require.NoError(t, g.Terminate(within.Soon(t)))
	for _, pid := range pids {
		require.Eventually(t, func() bool { return gone(pid) }, 2*time.Minute, 10*time.Millisecond, "process %d is still there", pid)
	}
}
