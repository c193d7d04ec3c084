//go:build unix

package compat_tests

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// route says how to reach a worker: gateways that are made one after the other. The last one is the
// gateway to that worker.
type route struct {
	name  string
	specs []string
	lazy  bool // the last one comes from StartGateway
	// socketServer runs a socket server for this gateway alone. Its address replaces ADDRESS in
	// specs.
	socketServer *worker
	caps         channeltest.Caps
}

// usesRelease reports whether Python's execnet takes part.
func (r route) usesRelease() bool {
	return r.socketServer != nil || slices.ContainsFunc(r.specs, func(spec string) bool { return strings.Contains(spec, "bootstrap=import") })
}

// open makes the gateways and returns the last one.
func (r route) open(t *testing.T) *execnet.Gateway {
	t.Helper()
	return r.openIn(t, newGroup(t, testLog{t}))
}

// openIn makes the gateways in a group.
func (r route) openIn(t *testing.T, group *execnet.Group) *execnet.Gateway {
	t.Helper()
	specs := strings.Join(r.specs, "\n")
	if r.socketServer != nil {
		specs = strings.ReplaceAll(specs, "ADDRESS", socketServer(t, *r.socketServer))
	}
	var gw *execnet.Gateway
	for i, spec := range strings.Split(specs, "\n") {
		var err error
		if r.lazy && i == len(r.specs)-1 {
			gw, err = group.StartGateway(within.Soon(t), spec)
		} else {
			gw, err = group.MakeGateway(within.Soon(t), spec)
		}
		require.NoError(t, err, spec)
	}
	return gw
}

// socketServer runs the socketserver script of Python's execnet and returns its address. It serves
// one connection at a time.
func socketServer(t *testing.T, w worker) string {
	t.Helper()
	cmd := exec.Command(w.python.Path, "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+w.dir)
	cmd.Stderr = testLog{t}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it does not end by itself
		<-drained
		_ = cmd.Wait()
	})
	address := make(chan string, 1)
	go func() { // reads on, so that the server can always print
		defer close(drained)
		defer close(address)
		for lines, found := bufio.NewScanner(out), false; lines.Scan(); {
			// socket_readline_exec_server-1.2 Entering Accept loop ('127.0.0.1', 41373)
			if _, port, ok := strings.Cut(lines.Text(), "Accept loop ('127.0.0.1', "); ok && !found {
				address <- "127.0.0.1:" + strings.TrimSuffix(port, ")")
				found = true
			}
		}
	}()
	select {
	case address, ok := <-address:
		require.True(t, ok, "the socket server did not start")
		return address
	case <-within.Soon(t).Done():
		t.Fatal("the socket server does not say where it listens")
	}
	return ""
}

// fakeVagrant puts a vagrant on PATH that knows one machine, "web".
func fakeVagrant(t *testing.T, server *sshdtest.Server) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	sshdtest.Write(t, config, strings.Replace(server.ClientConfig(), "Host "+sshdtest.Alias, "Host web", 1))
	script := `#!/bin/sh
case "$1 $2" in
"ssh-config web") exec cat '` + config + `' ;;
"ssh web") shift 3; exec ssh -F '` + config + `' web "$@" ;;
esac
echo "The machine with the name '$2' was not found" >&2
exit 1
`
	pythons.Program(t, dir, "vagrant", script)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestTransports runs the channel test over every transport.
func TestTransports(t *testing.T) {
	server := sshdtest.Start(t)
	fakeVagrant(t, server)
	all := pythons.All(t)
	old, newest, usual := all[0], all[len(all)-1], pythons.Default(t)
	pip := installed(t, newest)
	python := func(p pythons.Interpreter) string { return "//python=" + p.Path }
	ssh := server.Spec()

	var routes []route
	add := func(name string, caps channeltest.Caps, specs ...string) *route {
		routes = append(routes, route{name: name, specs: specs, caps: caps})
		return &routes[len(routes)-1]
	}
	// A worker that serves a socket leaves the interpreter its stdin and stdout.
	is := func(p pythons.Interpreter) channeltest.Caps { return ours(p).caps() }
	keepsStdio := func(caps channeltest.Caps) channeltest.Caps {
		caps.KeepsStdio = true
		return caps
	}

	for _, p := range []pythons.Interpreter{old, usual} {
		add("ssh to "+p.Version(), is(p), ssh+python(p))
		add("socket installed via "+p.Version(), keepsStdio(is(p)), p.Spec()+"//id=host", "socket//installvia=host")
		add("popen via itself "+p.Version(), is(p), p.Spec()+"//id=host", "popen//via=host")
	}
	add("ssh lazily", is(usual), ssh).lazy = true // runs the python3 on its PATH
	add("vagrant", is(usual), "vagrant_ssh=web")
	add("ssh command", is(usual), ssh+python(usual)+"//sshclient=openssh")

	add("socket", keepsStdio(is(newest)), "socket=ADDRESS").socketServer = &pip
	add("socket to an installed worker", keepsStdio(pip.caps()), "socket=ADDRESS//bootstrap=import").socketServer = &pip
	add("socket via popen", keepsStdio(is(newest)), usual.Spec()+"//id=host", "socket=ADDRESS//via=host").socketServer = &pip

	add("popen lazily", is(usual), usual.Spec()).lazy = true
	add("popen via older", is(newest), old.Spec()+"//id=host", newest.Spec()+"//via=host")
	add("popen via newer", is(old), newest.Spec()+"//id=host", old.Spec()+"//via=host")
	add("popen via popen lazily", is(usual), usual.Spec()+"//id=host", "popen//via=host").lazy = true
	add("three hops", is(usual), usual.Spec()+"//id=a", old.Spec()+"//via=a//id=b", newest.Spec()+"//via=b//id=c", usual.Spec()+"//via=c")
	add("via an installed worker", is(newest), pip.spec()+"//id=host", "popen//via=host")
	add("ssh, popen", is(usual), ssh+python(usual)+"//id=far", "popen//via=far")
	add("ssh via popen", is(usual), usual.Spec()+"//id=bastion", ssh+python(usual)+"//via=bastion")
	add("popen, ssh, popen", is(usual), old.Spec()+"//id=bastion", ssh+python(usual)+"//via=bastion//id=far", "popen//via=far")

	for _, route := range dependent(routes) {
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, route.open, route.caps)
		})
	}
}

// TestMainThreadOnlyTransports tests the execution model main_thread_only over other transports.
func TestMainThreadOnlyTransports(t *testing.T) {
	server := sshdtest.Start(t)
	usual, all := pythons.Default(t), pythons.All(t)
	pip := installed(t, all[len(all)-1])
	for _, route := range dependent([]route{
		{name: "ssh", specs: []string{server.Spec() + "//python=" + usual.Path}},
		{name: "socket", specs: []string{"socket=ADDRESS"}, socketServer: &pip},
		{name: "via", specs: []string{usual.Spec() + "//id=host", "popen//via=host"}},
	}) {
		route.specs[len(route.specs)-1] += "//execmodel=main_thread_only"
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			channeltest.RunMainThreadOnly(t, route.open, ours(usual).caps())
		})
	}
}
