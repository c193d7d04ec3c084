//go:build unix

package gatewayio

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// sshOpener returns an opener whose connections end with the test.
func sshOpener(t *testing.T) *Opener {
	t.Helper()
	opener := &Opener{Stderr: io.Discard}
	t.Cleanup(opener.Close)
	return opener
}

// sshOpen opens a pipe and ends it with the test.
func sshOpen(t *testing.T, opener *Opener, spec string) gatewaybase.IO {
	t.Helper()
	pipe, err := opener.Open(within.Soon(t), parseSpec(t, spec))
	require.NoError(t, err)
	t.Cleanup(func() { endPipe(t, pipe) })
	return pipe
}

// openFails returns the error of a pipe that must not open.
func openFails(t *testing.T, opener *Opener, spec string) error {
	t.Helper()
	pipe, err := opener.Open(within.Soon(t), parseSpec(t, spec))
	if err == nil {
		endPipe(t, pipe)
	}
	require.ErrorContains(t, err, "execnet: ")
	return err
}

// requireAlive checks that Python answers at the other end. It stays until its stdin ends.
func requireAlive(t *testing.T, pipe gatewaybase.IO) {
	t.Helper()
	_, err := fmt.Fprintf(pipe, "%q\n", "import sys;sys.stdout.write('1');sys.stdout.flush();sys.stdin.read()")
	require.NoError(t, err)
	answer := make([]byte, 1)
	_, err = io.ReadFull(pipe, answer)
	require.NoError(t, err)
	require.Equal(t, "1", string(answer))
}

func hostNotFound(t *testing.T, err error) *HostNotFoundError {
	t.Helper()
	var missing *HostNotFoundError
	require.ErrorAs(t, err, &missing)
	return missing
}

func TestOpenSSHClient(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	opener := sshOpener(t)
	pipe := sshOpen(t, opener, server.Spec()+"//sshclient=openssh")
	requireAlive(t, pipe)
	assert.Equal(t, "box", pipe.RemoteAddress())
	assert.IsType(t, &commandPipe{}, pipe)
	require.NoError(t, pipe.CloseWrite())
	_, err := io.ReadAll(pipe)
	require.NoError(t, err)
	require.NoError(t, pipe.Wait(within.Soon(t)))
	assert.Equal(t, 0, pipe.Exit().Code)

	// What the built-in client refuses works here.
	matching := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, matching, "BindInterface lo\nMatch exec true\n"+strings.SplitN(server.ClientConfig(), "\n", 2)[1])
	var unsupported *UnsupportedSSHError
	require.ErrorAs(t, openFails(t, opener, "ssh=box//ssh_config="+matching), &unsupported)
	assert.Equal(t, "BindInterface lo", unsupported.What)
	requireAlive(t, sshOpen(t, opener, "ssh=box//ssh_config="+matching+"//sshclient=openssh"))
}

func TestOpenSSHHostNotFound(t *testing.T) {
	t.Parallel()
	opener := sshOpener(t)
	pipe := sshOpen(t, opener, "ssh=-o BatchMode=yes no-such-host.invalid//ssh_config=/dev/null//sshclient=openssh")
	_, err := pipe.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, pipe.Wait(within.Soon(t)))
	assert.Equal(t, 255, pipe.Exit().Code)
	assert.Contains(t, pipe.Exit().Stderr, "resolve")
	assert.Equal(t, "-o BatchMode=yes no-such-host.invalid", pipe.RemoteAddress())
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
	opener := sshOpener(t)
	pipe := sshOpen(t, opener, "vagrant_ssh=web")
	requireAlive(t, pipe)
	assert.Equal(t, "web", pipe.RemoteAddress())
	requireAlive(t, sshOpen(t, opener, "vagrant_ssh=web//sshclient=openssh"))

	extra := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, extra, "Host web\n  Port 1\n  Ciphers none-of-ours\n")
	assert.ErrorContains(t, openFails(t, opener, "vagrant_ssh=web//ssh_config="+extra), "none-of-ours")

	err := hostNotFound(t, openFails(t, opener, "vagrant_ssh=gone"))
	assert.Equal(t, "gone", err.Host)
	assert.ErrorContains(t, err, "was not found")
	assert.ErrorContains(t, openFails(t, opener, "vagrant_ssh=--version"), "not the name of a machine")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, failure := opener.Open(ctx, parseSpec(t, "vagrant_ssh=slow"))
	assert.ErrorIs(t, failure, context.Canceled)

	t.Setenv("PATH", t.TempDir())
	var start *StartError
	assert.ErrorAs(t, openFails(t, opener, "vagrant_ssh=web"), &start)
}
