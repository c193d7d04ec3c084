//go:build unix

package compat_tests

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// failsBothWays checks that MakeGateway fails for spec, and that what StartGateway returns fails
// too. It returns both errors.
func failsBothWays(t *testing.T, group *execnet.Group, spec string) [2]error {
	t.Helper()
	_, made := group.MakeGateway(within.Soon(t), spec)
	require.Error(t, made)
	gw, started := group.StartGateway(within.Soon(t), spec)
	if started == nil {
		var ch *execnet.Channel
		if ch, started = gw.RemoteExec(t.Context(), "channel.send(1)"); started == nil {
			_, started = ch.Receive(within.Soon(t))
		}
	}
	require.Error(t, started)
	return [2]error{made, started}
}

// requireErrors checks that every error is a T and contains text.
func requireErrors[T error](t *testing.T, errs [2]error, text string) (found [2]T) {
	t.Helper()
	for i, err := range errs {
		require.ErrorAs(t, err, &found[i])
		require.ErrorContains(t, err, text)
	}
	return found
}

// freePort is a port on which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

// silent is the address of a server that accepts connections, sends greeting, and then nothing
// more.
func silent(t *testing.T, greeting string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Write([]byte(greeting)) // if it does not arrive, the test fails
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// TestHostNotFound connects to hosts that are unknown or refuse the connection.
func TestHostNotFound(t *testing.T) {
	independent(t)
	port := freePort(t)
	group := newGroup(t, testLog{t})
	makeGateway(t, group, "popen//id=host")
	batch := "ssh=-o BatchMode=yes "
	for name, test := range map[string]struct{ spec, host, text string }{
		"ssh, unknown":              {"ssh=no-such-host.invalid//ssh_config=none", "no-such-host.invalid", "no-such-host.invalid"},
		"ssh, refused":              {"ssh=-p " + port + " 127.0.0.1//ssh_config=none", "127.0.0.1:" + port, "refused"},
		"ssh command, unknown":      {batch + "no-such-host.invalid//sshclient=openssh", "-o BatchMode=yes no-such-host.invalid", "resolve"},
		"ssh command, refused":      {batch + "-p " + port + " 127.0.0.1//sshclient=openssh", "-o BatchMode=yes -p " + port + " 127.0.0.1", "refused"},
		"ssh via popen, refused":    {batch + "-p " + port + " 127.0.0.1//via=host", "-o BatchMode=yes -p " + port + " 127.0.0.1", "refused"},
		"socket, unknown":           {"socket=no-such-host.invalid:8888", "no-such-host.invalid:8888", "no-such-host.invalid"},
		"socket, refused":           {"socket=127.0.0.1:" + port, "127.0.0.1:" + port, "refused"},
		"socket over IPv6, refused": {"socket=[::1]:" + port, "[::1]:" + port, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			errs := failsBothWays(t, group, test.spec)
			for _, missing := range requireErrors[*execnet.HostNotFoundError](t, errs, test.text) {
				assert.Equal(t, test.host, missing.Host)
			}
		})
	}
	_, err := group.MakeGateway(within.Soon(t), "socket=127.0.0.1:"+port+"//via=host")
	assert.ErrorContains(t, err, "through gateway host: ")
	assert.ErrorContains(t, err, "refused")
}

// TestVagrantFails asks for a machine that vagrant does not know, and for one that is down.
func TestVagrantFails(t *testing.T) {
	independent(t)
	server := sshdtest.Start(t)
	fakeVagrant(t, server)
	group := newGroup(t, testLog{t})
	requireErrors[*execnet.HostNotFoundError](t, failsBothWays(t, group, "vagrant_ssh=gone"), "The machine with the name 'gone' was not found")
	server.Stop()
	requireErrors[*execnet.HostNotFoundError](t, failsBothWays(t, group, "vagrant_ssh=web"), "refused")
}

// TestSilentHosts connects to hosts that accept a connection and send nothing.
func TestSilentHosts(t *testing.T) {
	independent(t)
	group := newGroup(t, testLog{t})
	makeGateway(t, group, "popen//id=host")
	address := silent(t, "")
	_, port, _ := net.SplitHostPort(address)
	ssh := "ssh=-p " + port + " 127.0.0.1//ssh_config=none"
	for _, spec := range []string{ssh, ssh + "//sshclient=openssh", ssh + "//via=host", "socket=" + address, "socket=" + address + "//via=host"} {
		t.Run(strings.NewReplacer(address, "ADDRESS", port, "PORT").Replace(spec), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := group.MakeGateway(ctx, spec)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, time.Since(began), 20*time.Second)
		})
	}
	for _, greeting := range []string{"", "SSH-2.0-mute\r\n"} {
		t.Run("ConnectTimeout "+greeting, func(t *testing.T) {
			t.Parallel()
			_, port, _ := net.SplitHostPort(silent(t, greeting))
			spec := "ssh=-o ConnectTimeout=1 -p " + port + " 127.0.0.1//ssh_config=none"
			requireErrors[*execnet.HostNotFoundError](t, failsBothWays(t, group, spec), "timed out after 1s")
		})
	}
	t.Run("something else listens", func(t *testing.T) {
		t.Parallel()
		address := silent(t, "220 mail.example ESMTP\r\n")
		errs := failsBothWays(t, group, "socket="+address)
		for _, failed := range requireErrors[*execnet.BootstrapError](t, errs, "expected a Python worker's answer, got ") {
			assert.Contains(t, string(failed.Got), "220 mail")
		}
	})
}

// TestSSHRefusals connects to ssh servers where the host key, the user's key or Python is wrong.
func TestSSHRefusals(t *testing.T) {
	independent(t)
	t.Run("another host key", func(t *testing.T) {
		t.Parallel()
		server := sshdtest.Start(t)
		other := filepath.Join(t.TempDir(), "other")
		sshdtest.Keygen(t, other)
		require.NoError(t, os.Remove(server.KnownHostsFile))
		server.AddKnownHost(t, other+".pub")
		group := newGroup(t, testLog{t})
		errs := failsBothWays(t, group, server.Spec())
		for _, wrong := range requireErrors[*execnet.HostKeyError](t, errs, "has changed") {
			assert.Equal(t, "[127.0.0.1]:"+server.Port, wrong.Host)
			assert.Equal(t, []string{server.KnownHostsFile + ":1"}, wrong.Known)
			assert.ErrorContains(t, wrong, wrong.Fingerprint)
			assert.ErrorContains(t, wrong, "ssh-keygen -R '[127.0.0.1]:"+server.Port+"'")
		}
		errs = failsBothWays(t, group, server.Spec()+"//sshclient=openssh")
		requireErrors[*execnet.HostNotFoundError](t, errs, "Host key verification failed")

		sshdtest.Write(t, server.KnownHostsFile, "")
		requireErrors[*execnet.HostKeyError](t, failsBothWays(t, group, server.Spec()), "is not known")
	})
	t.Run("no usable key", func(t *testing.T) {
		t.Parallel()
		server := sshdtest.Start(t)
		sshdtest.Write(t, server.AuthorizedKeysFile, "")
		group := newGroup(t, testLog{t})
		errs := failsBothWays(t, group, server.Spec())
		for _, refused := range requireErrors[*execnet.SSHAuthError](t, errs, "does not let "+server.User+" in; tried publickey "+server.IdentityFile) {
			assert.Equal(t, server.User, refused.User)
			assert.Equal(t, []string{"publickey"}, refused.Accepts)
		}
		errs = failsBothWays(t, group, server.Spec()+"//sshclient=openssh")
		requireErrors[*execnet.HostNotFoundError](t, errs, "Permission denied")
	})
	t.Run("no python", func(t *testing.T) {
		t.Parallel()
		server := sshdtest.Start(t)
		group := newGroup(t, testLog{t})
		makeGateway(t, group, "popen//id=host")
		for _, extra := range []string{"", "//sshclient=openssh", "//via=host"} {
			errs := failsBothWays(t, group, server.Spec()+"//python=no-such-python"+extra)
			for _, failed := range requireErrors[*execnet.BootstrapError](t, errs, "there is no no-such-python") {
				assert.Equal(t, 127, failed.Exit.Code, extra)
				assert.Contains(t, failed.Exit.Stderr, "no-such-python", extra)
				assert.Contains(t, failed.Exit.Stderr, "not found", extra)
			}
		}
	})
}

// TestUnknownGateways names gateways that the group does not have.
func TestUnknownGateways(t *testing.T) {
	independent(t)
	group := newGroup(t, testLog{t})
	for key, spec := range map[string]string{"via": "popen//via=nobody", "installvia": "socket//installvia=nobody"} {
		errs := failsBothWays(t, group, spec)
		for _, wrong := range requireErrors[*execnet.XSpecError](t, errs, `the group has no gateway with the id "nobody"`) {
			assert.Equal(t, key, wrong.Key)
		}
	}
}

// requireBehind checks that the error of a gateway names the gateways that it was reached through,
// the nearest one first.
func requireBehind(t *testing.T, gw *execnet.Gateway, ids ...string) {
	t.Helper()
	var died *execnet.GatewayDiedError
	require.ErrorAs(t, gw.Err(), &died)
	for _, id := range ids {
		err := died.Err
		require.ErrorAs(t, err, &died)
		require.Equal(t, id, died.ID)
	}
}

// cutOff calls harm, which cuts the connection to a gateway's worker, while calls of every kind
// wait for that worker.
func cutOff(t *testing.T, gw *execnet.Gateway, harm func()) {
	t.Helper()
	waiting := remoteExec(t, gw, "channel.receive()")
	_, err := gw.RemoteStatus(within.Soon(t)) // so that the worker executes it
	require.NoError(t, err)
	idle, err := gw.NewChannel()
	require.NoError(t, err)
	send := func() error {
		for { // the first ones may go into buffers
			if err := idle.Send(within.Soon(t), make([]byte, 100_000)); err != nil {
				return err
			}
		}
	}
	allFail(t, gw, waiting, map[string]func() error{"Send": send}, 5*time.Second, harm,
		func(string, *execnet.GatewayDiedError) {})
}

// TestConnectionsThatEnd kills the process through which a gateway is reached, or cuts its ssh
// connection, while calls of every kind wait.
func TestConnectionsThatEnd(t *testing.T) {
	independent(t)
	for _, python := range []pythons.Interpreter{pythons.All(t)[0], pythons.Default(t)} {
		for name, specs := range map[string][]string{
			"via is killed":                  {"popen//via=host//id=middle", "popen//via=middle"},
			"the host of a server is killed": {"socket//installvia=host"},
		} {
			t.Run(name+", "+python.Version(), func(t *testing.T) {
				t.Parallel()
				group := newGroup(t, testLog{t})
				host := makeGateway(t, group, python.Spec()+"//id=host")
				pid := pidOf(t, remoteExec(t, host, "import os; channel.send(os.getpid())"))
				var inner *execnet.Gateway
				for _, spec := range specs {
					inner = makeGateway(t, group, spec)
				}
				cutOff(t, inner, func() { require.NoError(t, syscall.Kill(pid, syscall.SIGKILL)) })
				if len(specs) > 1 {
					requireBehind(t, inner, "middle", "host")
				}
			})
		}
	}
	server := sshdtest.Start(t)
	for _, extra := range []string{"", "//sshclient=openssh"} {
		t.Run("ssh is cut "+extra, func(t *testing.T) {
			t.Parallel()
			relay := sshdtest.NewRelay(t, server.Addr)
			spec := "ssh=-o HostKeyAlias=[127.0.0.1]:" + server.Port + " -p " + relay.Port + " box//ssh_config=" + server.ConfigFile + extra
			group := newGroup(t, testLog{t})
			far := makeGateway(t, group, spec+"//id=far//python="+pythons.Default(t).Path)
			inner := makeGateway(t, group, "popen//via=far")
			cutOff(t, inner, relay.Cut)
			_, err := far.RemoteStatus(within.Soon(t))
			requireDied(t, far, err, "RemoteStatus")
			if extra == "" {
				assert.ErrorContains(t, far.Err(), "connection to 127.0.0.1")
			}
			requireBehind(t, inner, "far")
		})
	}
}

// TestTerminateMixedGroup terminates a group with gateways of every transport, of which one, or
// all, do not end by themselves.
func TestTerminateMixedGroup(t *testing.T) {
	server := sshdtest.Start(t)
	usual, all := pythons.Default(t), pythons.All(t)
	pip := installed(t, all[len(all)-1])
	for _, stuckID := range []string{"inner", "behind", "installed", "all"} {
		t.Run(stuckID, func(t *testing.T) {
			t.Parallel()
			const timeout = time.Second
			group := newGroup(t, testLog{t})
			python := "//python=" + usual.Path
			gateways, err := group.MakeGateways(within.Soon(t), usual.Spec()+"//id=host", "popen//via=host//id=inner",
				server.Spec()+python+"//id=far", "popen//via=far//id=behind", server.Spec()+python+"//sshclient=openssh//id=command",
				usual.Spec()+"//id=apart", "socket//installvia=apart//id=installed", "socket="+socketServer(t, pip)+"//id=served")
			require.NoError(t, err)
			for _, gw := range gateways {
				if stuckID != "all" && gw.ID() != stuckID || gw.ID() == "apart" {
					continue
				}
				ch := remoteExec(t, gw, "channel.send(1)\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass")
				receive(t, ch)
			}
			began := time.Now()
			require.NoError(t, group.Terminate(within.Time(t, timeout)))
			assert.Less(t, time.Since(began), timeout+20*time.Second)
			assert.Zero(t, group.Len())
		})
	}
}
