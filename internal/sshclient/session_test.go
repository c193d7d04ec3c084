//go:build unix

package sshclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

func TestStderr(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	var said textbuffer.Buffer
	pipe := start(t, testPool(t, Options{Stderr: &said}), server.Spec())
	execLine(t, pipe, "import sys;sys.stderr.write('x'*20000+'the end');sys.exit(3)")
	_, err := pipe.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, pipe.Wait(soon(t)))
	exit := pipe.Exit()
	assert.Equal(t, 3, exit.Code)
	assert.True(t, strings.HasPrefix(exit.Stderr, strings.Repeat("x", 1<<10)+"\n[... "), "the beginning, and the end of it")
	assert.Len(t, exit.Stderr[strings.Index(exit.Stderr, " ...]\n")+len(" ...]\n"):], 8<<10)
	assert.True(t, strings.HasSuffix(exit.Stderr, "xthe end"))
	assert.Len(t, said.String(), 20007)
}

func TestPythonAndItsSurroundings(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t, "AcceptEnv GIVEN")
	pool := testPool(t, Options{})
	python := pythons.Default(t)
	pipe := start(t, pool, "ssh=-o 'SetEnv=\"GIVEN=a b\"' box env PREFIXED=1//ssh_config="+server.ConfigFile+"//dont_write_bytecode//python="+python.Path)
	execLine(t, pipe, "import sys,os;print('%s|%s|%s|%d.%d' % (os.environ['GIVEN'],os.environ['PREFIXED'],sys.dont_write_bytecode,sys.version_info[0],sys.version_info[1]))")
	out, err := io.ReadAll(pipe)
	require.NoError(t, err)
	assert.Equal(t, "a b|1|True|"+python.Version()+"\n", string(out))

	missing := start(t, pool, server.Spec()+"//python=/no/such/python")
	_, err = missing.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, missing.Wait(soon(t)))
	assert.Equal(t, 127, missing.Exit().Code)
	assert.Contains(t, missing.Exit().Stderr, "/no/such/python")
}

func TestExitSignal(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pipe := start(t, testPool(t, Options{}), server.Spec())
	execLine(t, pipe, "import os;os.kill(os.getpid(),15)")
	_, err := pipe.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, pipe.Wait(soon(t)))
	exit := pipe.Exit()
	assert.True(t, exit.Known)
	assert.Equal(t, -1, exit.Code)
	assert.Equal(t, syscall.SIGTERM, exit.Signal)
	assert.Equal(t, "SIGUSR1", signalNamed("USR1").String())
}

// Kill, and Wait after it, come back whatever the remote process does; its file tells when it is
// gone.
func TestKill(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pool := testPool(t, Options{})
	for name, source := range map[string]string{
		"idle":    "sys.stdin.read()",
		"deaf":    "[signal.signal(s,signal.SIG_IGN) for s in (1,2,15)];sys.stdin.read()",
		"writing": "exec('while 1: os.write(1,b\"x\"*65536)')",
		"stopped": "os.kill(os.getpid(),19);sys.stdin.read()",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe := start(t, pool, server.Spec())
			execLine(t, pipe, "import sys,os,signal;sys.stdout.write('%d\\n'%os.getpid());sys.stdout.flush();"+source)
			pid := 0
			for b := readExactly(t, pipe, 1); b != "\n"; b = readExactly(t, pipe, 1) {
				pid = pid*10 + int(b[0]-'0')
			}
			start := time.Now()
			require.NoError(t, pipe.Kill())
			require.NoError(t, pipe.Kill())
			require.NoError(t, pipe.Wait(soon(t)))
			assert.Less(t, time.Since(start), 10*time.Second)
			_, err := pipe.Write([]byte("x"))
			assert.Error(t, err)
			_, err = io.Copy(io.Discard, pipe)
			assert.NoError(t, err)
			if name == "stopped" {
				// The host cannot signal root's processes, and this one cannot see its stdin's end.
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			assert.Eventually(t, func() bool { return !alive(pid) }, bound, 10*time.Millisecond)
		})
	}
}

func alive(pid int) bool {
	if runtime.GOOS == "linux" {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && !strings.Contains(string(stat), ") Z ")
	}
	return syscall.Kill(pid, 0) == nil
}

// What a dead worker has left running does not keep its gateway alive.
func TestGrandchildHoldsPipes(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pipe := start(t, testPool(t, Options{}), server.Spec())
	stop := filepath.Join(t.TempDir(), "stop")
	require.NoError(t, os.WriteFile(stop, nil, 0o600))
	t.Cleanup(func() { os.Remove(stop) })
	execLine(t, pipe, "import subprocess,os;subprocess.Popen(['sh','-c','while test -e "+stop+"; do sleep 0.1; done']);os.write(1,b'last words');os._exit(9)")
	start := time.Now()
	out, err := io.ReadAll(pipe)
	require.NoError(t, err)
	assert.Equal(t, "last words", string(out))
	require.NoError(t, pipe.Wait(soon(t)))
	assert.Less(t, time.Since(start), 10*time.Second)
	assert.Equal(t, 9, pipe.Exit().Code)
}

func TestBlockedWriteAndRead(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pipe := start(t, testPool(t, Options{}), server.Spec())
	execLine(t, pipe, "import sys,time;sys.stdout.write('1');sys.stdout.flush();time.sleep(600)")
	require.Equal(t, "1", readExactly(t, pipe, 1))
	failed := make(chan error, 2)
	go func() {
		_, err := pipe.Write(bytes.Repeat([]byte("x"), 32<<20)) // more than every buffer on the way
		failed <- err
	}()
	select {
	case err := <-failed:
		t.Fatalf("the write came back: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, pipe.CloseWrite())
	assert.Error(t, <-failed)
	require.NoError(t, pipe.CloseWrite(), "more than once")
	go func() {
		_, err := pipe.Read(make([]byte, 1))
		failed <- err
	}()
	select {
	case err := <-failed:
		t.Fatalf("the read came back: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, pipe.Wait(ctx), context.DeadlineExceeded)
	require.NoError(t, pipe.CloseRead())
	assert.Error(t, <-failed)
	_, err := pipe.Read(make([]byte, 1))
	assert.Error(t, err)
}

// A host that refuses to run a command says so by a failure of the request. It may leave the
// session open, close it, or end only its output.
func TestHostThatRefusesCommands(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(ssh.Channel, <-chan *ssh.Request){
		"open":   func(_ ssh.Channel, requests <-chan *ssh.Request) { ssh.DiscardRequests(requests) },
		"closed": func(ssh.Channel, <-chan *ssh.Request) {},
		"eof": func(channel ssh.Channel, requests <-chan *ssh.Request) {
			_ = channel.CloseWrite()
			ssh.DiscardRequests(requests)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			server := sshdtest.NewSessionServer(t, &ssh.ServerConfig{NoClientAuth: true}, func(channel ssh.Channel, requests <-chan *ssh.Request) {
				for request := range requests {
					asked = append(asked, request.Type)
					_ = request.Reply(false, nil)
					if request.Type == "exec" {
						after(channel, requests)
						return
					}
				}
			})
			pipe := start(t, testPool(t, Options{}), "ssh=-o SetEnv=A=b box//ssh_config="+server.ConfigFile)
			_, err := pipe.Read(make([]byte, 1))
			assert.ErrorContains(t, err, "execnet: ssh: 127.0.0.1:"+server.Port+" lets alice in but refuses to run a command")
			_, err = pipe.Write([]byte("x"))
			assert.ErrorContains(t, err, "refuses to run a command")
			require.NoError(t, pipe.Wait(soon(t)))
			assert.False(t, pipe.Exit().Known)
			assert.Equal(t, []string{"env", "exec"}, asked)
		})
	}
}

// A host that never answers the request is given up when the caller does.
func TestHostThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewSessionServer(t, &ssh.ServerConfig{NoClientAuth: true}, func(_ ssh.Channel, requests <-chan *ssh.Request) {
		for range requests {
		}
	})
	pipe := start(t, testPool(t, Options{}), "ssh=box//ssh_config="+server.ConfigFile)
	written := make(chan error, 1)
	go func() {
		_, err := pipe.Write([]byte("x"))
		written <- err
	}()
	select {
	case err := <-written:
		t.Fatalf("something was sent before the command runs: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, pipe.Kill())
	require.NoError(t, pipe.Wait(soon(t)))
	assert.Error(t, <-written)
	_, err := pipe.Read(make([]byte, 1))
	assert.Error(t, err)
}
