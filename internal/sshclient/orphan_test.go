//go:build unix

package sshclient

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/xspec"
)

// driverVariable makes this test binary a driver: it starts the gateway that the variable's
// specification asks for, prints the pid of its Python, and waits to be killed.
const driverVariable = "EXECNET_TEST_SSH_DRIVER"

func init() {
	text := os.Getenv(driverVariable)
	if text == "" {
		return
	}
	spec, err := xspec.Parse(text)
	if err != nil {
		panic(err)
	}
	pipe, err := startSpec(context.Background(), NewPool(Options{home: os.DevNull}), spec)
	if err != nil {
		panic(err)
	}
	if _, err := fmt.Fprintf(pipe, "%q\n", "import sys,os;sys.stdout.write('%d\\n'%os.getpid());sys.stdout.flush();sys.stdin.read()"); err != nil {
		panic(err)
	}
	_, err = io.Copy(os.Stdout, pipe)
	fmt.Println(err)
	os.Exit(1)
}

// startDriver starts a driver for the specification, with the words of prefix in front, and returns
// what it prints and the pid of its gateway's Python.
func startDriver(t *testing.T, spec string, prefix ...string) (driver *exec.Cmd, output *bufio.Reader, pid int) {
	t.Helper()
	argv := append(prefix, os.Args[0])
	driver = exec.Command(argv[0], argv[1:]...)
	driver.Env = append(os.Environ(), driverVariable+"="+spec)
	driver.Stderr = os.Stderr
	stdout, err := driver.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, driver.Start())
	output = bufio.NewReader(stdout)
	line, err := output.ReadString('\n')
	require.NoError(t, err)
	pid, err = strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.True(t, alive(pid))
	return driver, output, pid
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return !alive(pid) }, bound, 10*time.Millisecond)
}

// A driver's kill -9 leaves nothing running on the far side.
func TestDriverKilled(t *testing.T) {
	t.Parallel()
	driver, _, pid := startDriver(t, sshdtest.Start(t).Spec())
	require.NoError(t, driver.Process.Kill())
	assert.Error(t, driver.Wait())
	requireGone(t, pid)
}

// When the network is cut the driver's keepalives end the gateway here, and sshd's, where they are
// switched on, end it there. The relay stands for a network that swallows everything.
func TestNetworkSwallowsEverything(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t, "ClientAliveInterval 1", "ClientAliveCountMax 1")
	relay := sshdtest.NewRelay(t, server.Addr)
	driver, output, pid := startDriver(t, "ssh=-o ServerAliveInterval=1 -o ServerAliveCountMax=1 -p "+relay.Port+
		" -o HostKeyAlias=[127.0.0.1]:"+server.Port+" box//ssh_config="+server.ConfigFile)
	relay.Freeze()
	last, err := io.ReadAll(output)
	require.NoError(t, err)
	assert.Contains(t, string(last), "answers nothing any more")
	assert.Error(t, driver.Wait())
	requireGone(t, pid)
}
