package kubernetes_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/internal/testsupport/kubernetes"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/rsync"
	"github.com/go-execnet/execnet/serializer"
)

// patience bounds what may take an upload of this program, on a busy machine.
const patience = 5 * time.Minute

// TestKubectl has gateways to pods by a real kubectl.
func TestKubectl(t *testing.T) {
	kubernetes.InstallKubectl(t)
	t.Run("python", testPython)
	t.Run("self", testSelf)
	t.Run("files", testFiles)
	t.Run("errors", testErrors)
	t.Run("ends", testEnds)
	t.Run("killed driver", testKilledDriver)
	t.Run("cut off", testCutOff)
}

func testPython(t *testing.T) {
	cluster := kubernetes.Start(t)
	group := newGroup(t)
	stderr := new(textbuffer.Buffer)
	group.Stderr = stderr
	makeGateway(t, group, "popen//id=host//python="+pythons.Default(t).Path)
	for spec, container := range map[string]string{
		"kubectl=box":                 "default/box/box",
		"kubectl=box//namespace=shop": "shop/box/box",
		"kubectl=pod/box//container=box//python=python3 -s": "default/box/box",
		"kubectl=deploy/web//namespace=shop//context=here":  "shop/box/box",
		"kubectl=box//via=host":                             "default/box/box",
	} {
		cluster.Execs()
		folder := filepath.Join(t.TempDir(), "new folder")
		gw := makeGateway(t, group, spec+"//chdir="+folder+"//env:SECRET=a 'b' $HOME//env:TZ=x \"y\" & $(z)%41+//env:PYTHONPATH=/opt/$HOME//dont_write_bytecode")
		ch, err := gw.RemoteExec(t.Context(), `
			import os, sys
			channel.send((os.environ["CONTAINER"], os.getcwd(), os.environ["SECRET"], os.environ["TZ"], os.environ["PYTHONPATH"], sys.dont_write_bytecode))
			channel.send(channel.receive())
		`)
		require.NoError(t, err)
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, serializer.Tuple{container, folder, "a 'b' $HOME", "x \"y\" & $(z)%41+", "/opt/$HOME", true}, item)
		large := strings.Repeat("x", 5<<20)
		require.NoError(t, ch.Send(within.Soon(t), large))
		item, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.True(t, item == large)
		require.NoError(t, ch.WaitClose(within.Soon(t)))
		execs := cluster.Execs()
		require.Len(t, execs, 1)
		assert.NotContains(t, strings.Join(execs[0].Argv, "\n"), "SECRET=", "it does not stand in the list of processes")
	}
	gw := makeGateway(t, group, "kubectl=box//container=slim//python=python3//env:SECRET=x")
	pod, err := gatewaybase.RemoteCall[string](within.Soon(t), gw, "os.getenv", "CONTAINER")
	require.NoError(t, err)
	assert.Equal(t, "default/box/slim", pod)
	for _, odd := range []string{`a  b`, `"a" 'b'`, `\n`, "ä€", "&x=1;#?%20+", "--help"} {
		gw := makeGateway(t, group, `kubectl=box//python=python3 -c "import os,sys;os.execvp('python3',['python3']+sys.argv[2:])" `+quote(odd))
		argv, err := gatewaybase.RemoteCall[[]string](within.Soon(t), gw, "list", "xy")
		require.NoError(t, err)
		assert.Equal(t, []string{"x", "y"}, argv)
		execs := cluster.Execs()
		assert.Equal(t, odd, execs[len(execs)-1].Argv[3])
	}
	assert.Empty(t, stderr.String(), "kubectl says nothing of its own")
	t.Run("several", func(t *testing.T) {
		gateways, err := group.MakeGateways(within.Time(t, patience), "kubectl=box", "kubectl=box", "kubectl=box")
		require.NoError(t, err)
		for _, gw := range gateways {
			n, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "len", "four")
			require.NoError(t, err)
			assert.Equal(t, 4, n)
		}
	})
	requireEnds(t, cluster, group)
}

func testSelf(t *testing.T) {
	cluster := kubernetes.Start(t)
	group := newGroup(t)
	uploads := new(atomic.Int32)
	group.Uploading = func(u multi.Upload) {
		if u.Sent == u.Total {
			uploads.Add(1)
		}
	}
	makeGateway(t, group, "popen//id=host//python="+pythons.Default(t).Path)
	makeGateway(t, group, "popen//id=gohost//self")
	for _, rest := range []string{"", "//env:GOGC=50//env:SECRET=a 'b'", "//via=host", "//via=gohost"} {
		gw := makeGateway(t, group, "kubectl=box//namespace=shop//container=bare//self//chdir="+t.TempDir()+rest)
		pod, err := gatewaybase.RemoteCall[string](within.Soon(t), gw, "words.pod")
		require.NoError(t, err)
		assert.Equal(t, "shop/box/bare", pod)
		n, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "words.count", strings.Repeat("word ", 1<<20))
		require.NoError(t, err)
		assert.Equal(t, 1<<20, n)
	}
	assert.EqualValues(t, 1, uploads.Load())
	requireEnds(t, cluster, group)
}

// testFiles brings a program and a tree of files to a pod.
func testFiles(t *testing.T) {
	cluster := kubernetes.Start(t)
	group := newGroup(t)
	program := pythons.Program(t, t.TempDir(), "greet", "#!/bin/sh\necho \"hello from $CONTAINER\"\n")
	there, err := group.Deploy(within.Time(t, patience), "kubectl=box", program)
	require.NoError(t, err)
	gw := makeGateway(t, group, "kubectl=box")
	said, err := gatewaybase.RemoteCall[string](within.Soon(t), gw, "subprocess.getoutput", there)
	require.NoError(t, err)
	assert.Equal(t, "hello from default/box/box", said)

	source, dest := t.TempDir(), filepath.Join(t.TempDir(), "dest")
	require.NoError(t, os.MkdirAll(filepath.Join(source, "folder"), 0o755))
	content := strings.Repeat("0123456789abcdef", 100_000)
	for _, content := range []string{content, content[:500_000] + "changed" + content[500_000:]} {
		require.NoError(t, os.WriteFile(filepath.Join(source, "folder", "large"), []byte(content), 0o600))
		sync := rsync.New(source)
		require.NoError(t, sync.AddTarget(gw, dest, rsync.TargetOptions{}))
		require.NoError(t, sync.Send(within.Soon(t)))
		got, err := os.ReadFile(filepath.Join(dest, "folder", "large"))
		require.NoError(t, err)
		assert.True(t, content == string(got))
	}
	requireEnds(t, cluster, group)
}

func testErrors(t *testing.T) {
	cluster := kubernetes.Start(t)
	group := newGroup(t)
	makeGateway(t, group, "popen//id=host//python="+pythons.Default(t).Path)
	start := func(spec string) error {
		_, err := group.MakeGateway(within.Time(t, patience), spec)
		require.ErrorContains(t, err, "execnet: ", spec)
		return err
	}
	for _, rest := range []string{"", "//self", "//via=host"} {
		for spec, want := range map[string]struct {
			problem gatewayio.ContainerProblem
			text    string
		}{
			"gone":                   {gatewayio.ContainerMissing, `there is no pod gone (kubectl says: Error from server (NotFound): pods "gone" not found)`},
			"box//namespace=market":  {gatewayio.ContainerMissing, `there is no pod box (`},
			"deploy/gone":            {gatewayio.ContainerMissing, `there is no pod deploy/gone (kubectl says: Error from server (NotFound): deployments.apps "gone" not found)`},
			"ships/box":              {gatewayio.ContainerMissing, `there is no pod ships/box (kubectl says: error: the server doesn't have a resource type "ships")`},
			"box//container=nothing": {gatewayio.ContainerMissing, `there is no container nothing in pod box (`},
			"done":                   {gatewayio.ContainerStopped, `pod done does not run (`},
			"new":                    {gatewayio.ContainerStopped, `pod new does not run (`},
			"secret":                 {gatewayio.ContainerForbidden, `this user may not use pod secret (kubectl says: error: unable to upgrade connection: pods "secret" is forbidden: `},
			"hidden":                 {gatewayio.ContainerForbidden, `this user may not use pod hidden (kubectl says: Error from server (Forbidden): `},
			"box//context=stranger":  {gatewayio.ContainerForbidden, `this user may not use pod box (kubectl says: error: You must be logged in`},
			"box//context=nowhere":   {gatewayio.ContainerUnreachable, `pod box cannot be reached (kubectl says: The connection to the server`},
			"box//context=unknown":   {gatewayio.ContainerUnreachable, `pod box cannot be reached (kubectl says: Error in configuration: context was not found for specified context: unknown)`},
		} {
			var failed *gatewayio.ContainerError
			err := start("kubectl=" + spec + rest)
			require.ErrorAs(t, err, &failed, spec+rest)
			assert.Equal(t, want.problem, failed.Problem, spec+rest)
			assert.ErrorContains(t, err, "execnet: "+want.text)
		}
	}
	for _, via := range []string{"", "//via=host"} {
		for _, spec := range []string{"//container=bare", "//python=python9", "//python=/opt/python9", "//container=slim"} {
			var missing *gatewayio.PythonNotFoundError
			err := start("kubectl=box" + spec + via)
			require.ErrorAs(t, err, &missing, spec+via)
			assert.ErrorContains(t, err, "execnet: no Python found on pod box: ")
		}
	}
	var failed *bootstrap.Error
	require.ErrorAs(t, start("kubectl=box//python=sh -c 'echo not this one >&2; exit 5'"), &failed)
	assert.Equal(t, 5, failed.Exit.Code)
	err := start("kubectl=box//container=slim//python=python3//env:TZ=UTC")
	require.ErrorAs(t, err, &failed)
	assert.ErrorContains(t, err, "needs the program env in the pod")
	err = start("popen//python=kubectl exec box -- python3")
	require.ErrorAs(t, err, &failed)
	assert.ErrorContains(t, err, "kubectl exec without -i gives no input")
	t.Setenv("PATH", t.TempDir())
	var missing *gatewayio.StartError
	require.ErrorAs(t, start("kubectl=box"), &missing)
	requireEnds(t, cluster, group)
}

// testEnds ends workers in every way. None may be left in a pod, whatever it does.
func testEnds(t *testing.T) {
	cluster := kubernetes.Start(t)
	group := newGroup(t)
	busy := map[string]string{
		"waits": "channel.receive()", "computes": "while True: pass", "is stuck in C": "import ctypes; ctypes.PyDLL(None).sleep(600)",
		"sends": "while True: channel.send(b'x' * 100000)",
	}
	occupy := func(gw *gatewaybase.Gateway, source string) {
		t.Helper()
		ch, err := gw.RemoteExec(t.Context(), "channel.send(1)\n"+source)
		require.NoError(t, err)
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	for _, source := range busy {
		gw := makeGateway(t, group, "kubectl=box")
		occupy(gw, source)
		require.NoError(t, gw.Kill())
	}
	terminated := newGroup(t)
	for _, source := range busy {
		occupy(makeGateway(t, terminated, "kubectl=box"), source)
	}
	require.NoError(t, terminated.Terminate(within.Soon(t)))

	for source, code := range map[string]int{"os._exit(3)": 3, "os.kill(os.getpid(), 9)": 137} {
		gw := makeGateway(t, group, "kubectl=box")
		ch, err := gw.RemoteExec(t.Context(), "import os, sys; sys.stderr.write('last words\\n'); "+source)
		require.NoError(t, err)
		var died *gatewaybase.GatewayDiedError
		require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
		assert.Equal(t, code, died.Exit.Code)
		assert.Contains(t, died.Exit.Stderr, "last words\n")
	}

	// The context ends while the interpreter is not there yet.
	cluster.Execs()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan error, 1)
	go func() {
		_, err := group.MakeGateway(ctx, "kubectl=box//python=sh -c 'sleep 3; exec python3 \"$@\"' sh")
		started <- err
	}()
	require.Eventually(t, func() bool { return len(cluster.Execs()) > 0 }, 2*time.Minute, 10*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-started, context.Canceled)
	requireEnds(t, cluster, group)
}

// testKilledDriver kills drivers, whose kubectl goes on by itself, and the kubectl of a driver.
func testKilledDriver(t *testing.T) {
	cluster := kubernetes.Start(t)
	for _, spec := range []string{"kubectl=box", "kubectl=box//container=bare//self"} {
		driver := drivers.Start(t, spec)
		driver.Ready(t)
		require.NotEmpty(t, cluster.Processes())
		driver.Kill()
		requireEmpty(t, cluster)
	}
}

// testCutOff has the API server go away while a call waits, with a crash and in order.
func testCutOff(t *testing.T) {
	cluster := kubernetes.Start(t)
	group := newGroup(t)
	stderr := new(textbuffer.Buffer)
	group.Stderr = stderr
	gw := makeGateway(t, group, "kubectl=box")
	ch, err := gw.RemoteExec(t.Context(), "channel.send(1); channel.receive()")
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	waiting := make(chan error, 1)
	go func() {
		_, err := ch.Receive(within.Soon(t))
		waiting <- err
	}()
	cluster.Cut()
	var died *gatewaybase.GatewayDiedError
	err = <-waiting
	require.ErrorAs(t, err, &died)
	assert.ErrorContains(t, err, "connection reset by peer")
	t.Log(err)
	var failed *gatewayio.ContainerError
	_, err = group.MakeGateway(within.Soon(t), "kubectl=box")
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, gatewayio.ContainerUnreachable, failed.Problem)
	requireEnds(t, cluster, group)
}

// requireEnds terminates a group, after which nothing of it is left in the pods.
func requireEnds(t *testing.T, cluster *kubernetes.Cluster, group *multi.Group) {
	t.Helper()
	require.NoError(t, group.Terminate(within.Soon(t)))
	requireEmpty(t, cluster)
}

// requireEmpty waits until nothing runs in the pods. What is stuck has 20 seconds.
func requireEmpty(t *testing.T, cluster *kubernetes.Cluster) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Empty(c, cluster.Processes()) }, 2*time.Minute, 50*time.Millisecond)
}

// newGroup returns a group that ends with the test.
func newGroup(t *testing.T) *multi.Group {
	t.Helper()
	group := multi.NewGroup()
	group.Stderr = t.Output()
	t.Cleanup(func() { require.NoError(t, group.Terminate(within.Soon(t))) })
	return group
}

func makeGateway(t *testing.T, group *multi.Group, spec string) *gatewaybase.Gateway {
	t.Helper()
	gw, err := group.MakeGateway(within.Time(t, patience), spec)
	require.NoError(t, err, spec)
	return gw
}

// quote makes a word of python= of text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
