//go:build unix

package gatewayio

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

func TestOpenSSHClient(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	var said lockedBuffer
	pool := sshPool(t, SSHOptions{Stderr: &said})
	pipe := sshStart(t, pool, server.Spec()+"//sshclient=openssh")
	requireAlive(t, pipe)
	assert.Equal(t, "box", pipe.RemoteAddress())
	assert.IsType(t, &openSSHPipe{}, pipe)
	assert.NoError(t, HostNotFoundFromExit(pipe), "it lives")
	require.NoError(t, pipe.CloseWrite())
	_, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.NoError(t, pipe.Wait(sshContext(t)))
	assert.Equal(t, 0, pipe.Exit().Code)
	assert.NoError(t, HostNotFoundFromExit(pipe))

	// What is refused above works here: a Match exec.
	matching := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, matching, "Match exec true\n"+strings.SplitN(server.ClientConfig(), "\n", 2)[1])
	var unsupported *UnsupportedSSHError
	require.ErrorAs(t, startFails(t, pool, "ssh=box//ssh_config="+matching), &unsupported)
	assert.Equal(t, "Match exec", unsupported.What)
	requireAlive(t, sshStart(t, pool, "ssh=box//ssh_config="+matching+"//sshclient=openssh"))
}

func TestOpenSSHHostNotFound(t *testing.T) {
	t.Parallel()
	pool := sshPool(t, SSHOptions{})
	pipe := sshStart(t, pool, "ssh=-o BatchMode=yes no-such-host.invalid//ssh_config=/dev/null//sshclient=openssh")
	_, err := pipe.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, pipe.Wait(sshContext(t)))
	missing := hostNotFound(t, HostNotFoundFromExit(pipe))
	assert.Equal(t, "-o BatchMode=yes no-such-host.invalid", missing.Host)
	assert.ErrorContains(t, missing, "resolve")
}

// fakeVagrant puts a vagrant on PATH that knows one machine.
func fakeVagrant(t *testing.T, config string) {
	t.Helper()
	dir := t.TempDir()
	sshdtest.Write(t, filepath.Join(dir, "config"), config)
	script := "#!/bin/sh\nif test \"$1 $2\" = 'ssh-config slow'; then exec sleep 60; fi\n" +
		"if test \"$1 $2\" = 'ssh-config web'; then exec cat '" + dir + "/config'; fi\n" +
		"if test \"$1 $2\" = 'ssh web'; then shift 3; exec ssh -F '" + dir + "/config' web \"$@\"; fi\n" +
		"echo \"The machine with the name '$2' was not found\" >&2\nexit 1\n"
	pythons.Program(t, dir, "vagrant", script)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestVagrant(t *testing.T) {
	server := sshdtest.Start(t)
	fakeVagrant(t, strings.Replace(server.ClientConfig(), "Host "+sshdtest.Alias, "Host web", 1))
	pool := sshPool(t, SSHOptions{})
	pipe := sshStart(t, pool, "vagrant_ssh=web")
	requireAlive(t, pipe)
	assert.Equal(t, "web", pipe.RemoteAddress())
	requireAlive(t, sshStart(t, pool, "vagrant_ssh=web//sshclient=openssh"))

	extra := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, extra, "Host web\n  Port 1\n  Ciphers none-of-ours\n")
	assert.ErrorContains(t, startFails(t, pool, "vagrant_ssh=web//ssh_config="+extra), "none-of-ours")

	err := hostNotFound(t, startFails(t, pool, "vagrant_ssh=gone"))
	assert.Equal(t, "gone", err.Host)
	assert.ErrorContains(t, err, "was not found")
	assert.ErrorContains(t, startFails(t, pool, "vagrant_ssh=--version"), "not the name of a machine")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, failure := pool.Start(ctx, parseSpec(t, "vagrant_ssh=slow"))
	assert.ErrorIs(t, failure, context.Canceled)

	t.Setenv("PATH", t.TempDir())
	var start *StartError
	assert.ErrorAs(t, startFails(t, pool, "vagrant_ssh=web"), &start)
}
