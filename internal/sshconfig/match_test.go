package sshconfig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/timeout"
)

// The oracle for the tokens of "Match exec" is ssh -G again: both write them into a file.
func TestMatchExecTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, config, "Host b\n HostName %h.x\n User u\n Port 7\n HostKeyAlias ka\n"+
		"Match exec \"echo '%h %n %p %r %u %k %C %L %l %d %i %%' > "+file+"\"\n Compression no\n")
	for _, host := range []string{"a", "B", "b"} {
		require.NoError(t, exec.Command("ssh", "-G", "-F", config, host).Run())
		theirs := sshdtest.Read(t, file)
		require.NoError(t, os.Remove(file))
		defaults := testDefaults
		defaults.Home = home
		_, err = defaults.Resolve(t.Context(), &Args{Host: host}, defaults.Files(config), "python")
		require.NoError(t, err)
		assert.Equal(t, theirs, sshdtest.Read(t, file))
	}
}

// What the command writes to stderr is shown, and the shell is the user's.
func TestMatchExecSurroundings(t *testing.T) {
	var said bytes.Buffer
	defaults := testDefaults
	defaults.Stderr = &said
	file := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, file, "Match exec \"cat; echo out; echo err >&2; sleep 60 & exit 0\"\n Port 7\n")
	target, err := defaults.Resolve(t.Context(), &Args{Host: "box"}, defaults.Files(file), "python")
	require.NoError(t, err, "what the command leaves behind is not waited for")
	assert.Equal(t, 7, target.Port)
	assert.Equal(t, "err\n", said.String())

	shell := filepath.Join(t.TempDir(), "shell")
	require.NoError(t, os.WriteFile(shell, []byte("#!/bin/sh\ntest \"$1 $2\" = '-c anything at all'\n"), 0o700))
	t.Setenv("SHELL", shell)
	target, err = resolve(t, "box", "Match exec \"anything at all\"\n Port 8\n")
	require.NoError(t, err)
	assert.Equal(t, 8, target.Port)
	t.Setenv("SHELL", "/no/such/shell")
	_, err = resolve(t, "box", "Match exec true\n Port 8\n")
	assert.ErrorContains(t, err, "/no/such/shell")
}

// The end of the context ends the command and what it has started.
func TestMatchExecIsBounded(t *testing.T) {
	dir := t.TempDir()
	sshdtest.Write(t, filepath.Join(dir, "config"), "Match exec \"sleep 600 & echo $! > "+dir+"/pid; wait\"\n Port 7\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := testDefaults.Resolve(ctx, &Args{Host: "box"}, testDefaults.Files(filepath.Join(dir, "config")), "python")
	assert.ErrorIs(t, err, timeout.Err)
	assert.ErrorContains(t, err, "Match exec")
	pid, err := strconv.Atoi(strings.TrimSpace(sshdtest.Read(t, filepath.Join(dir, "pid"))))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return !alive(pid) }, 20*time.Second, 10*time.Millisecond)
}

// alive reports whether a process exists and is not only waiting to be reaped by whoever has
// inherited it.
func alive(pid int) bool {
	if runtime.GOOS == "linux" {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && !strings.Contains(string(stat), ") Z ")
	}
	return exec.Command("kill", "-0", strconv.Itoa(pid)).Run() == nil
}

// The criteria of newer releases than the ssh command that the other test asks.
func TestMatchCriteria(t *testing.T) {
	local := "10.255.255.255"
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	if len(addresses) > 0 {
		local = addresses[0].(*net.IPNet).IP.String()
	}
	for criteria, want := range map[string]bool{
		"tagged work":                                true,
		"tagged wor?,x":                              true,
		"tagged Work":                                false,
		"tagged \"\"":                                false,
		"version OpenSSH_10.*":                       true,
		"version OpenSSH_9.*":                        false,
		"sessiontype exec":                           true,
		"sessiontype shell,subsystem":                false,
		"!sessiontype none":                          true,
		"command python3*":                           true,
		"command \"\"":                               false,
		"localnetwork " + local:                      true,
		"localnetwork 203.0.113.0/24":                false,
		"!localnetwork 203.0.113.0/24,2001:db8::/32": true,
		"tagged=work command=\"*-c x\"":              true,
	} {
		target, err := resolve(t, "-o Tag=work box", "Match "+criteria+"\n Port 7\n")
		require.NoError(t, err, criteria)
		assert.Equal(t, want, target.Port == 7, criteria)
	}
	// A jump host runs nothing.
	target, err := resolve(t, "-J hop box", "Match sessiontype none command \"\"\n Port 7\n")
	require.NoError(t, err)
	assert.Equal(t, 22, target.Port)
	assert.Equal(t, 7, target.Via.Port)
}
