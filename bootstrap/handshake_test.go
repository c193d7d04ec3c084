package bootstrap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

// sayings is a pipe from which the given pieces can be read, and then the end. It has no other
// method than Read.
type sayings struct {
	gatewaybase.IO
	pieces [][]byte
}

func (s *sayings) Read(b []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

// TestAnswersAreFound puts noise of all kinds before the answer, the beginnings of the answer among
// them, and cuts all of it in any places.
func TestAnswersAreFound(t *testing.T) {
	const token = "AB1AB1C"
	rapid.Check(t, func(t *rapid.T) {
		noise := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"1", "1A", "1AB1AB", "1AB1AB1A", "11", "\n", "hello", "\x00\xff"})).Draw(t, "noise"), "")
		stream := noise + "1" + token + "the messages"
		pipe := &sayings{}
		for rest := stream; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			pipe.pieces = append(pipe.pieces, []byte(rest[:n]))
			rest = rest[n:]
		}
		got, err := readAnswer(pipe, token, false)
		require.NoError(t, err)
		require.Equal(t, noise, string(got))
		rest, err := io.ReadAll(pipe)
		require.NoError(t, err)
		require.Equal(t, "the messages", string(rest))
	})
}

func TestWhatIsNoAnswer(t *testing.T) {
	read := func(exact bool, pieces ...string) (string, error) {
		pipe := &sayings{}
		for _, piece := range pieces {
			pipe.pieces = append(pipe.pieces, []byte(piece))
		}
		got, err := readAnswer(pipe, "TOKEN", exact)
		return string(got), err
	}
	for _, exact := range []bool{false, true} {
		got, err := read(exact)
		assert.Equal(t, io.EOF, err)
		assert.Empty(t, got)
		got, err = read(exact, "1TOK")
		assert.Equal(t, io.EOF, err)
		assert.Equal(t, "1TOK", got)
	}
	got, err := read(false, `"\x02serve(\"TO`, `KEN\")`)
	assert.Equal(t, errEcho, err)
	assert.Equal(t, `"\x02serve(\"TOKEN\")`, got)
	got, err = read(false, strings.Repeat("1", maxNoise+100), "1TOKEN")
	assert.Equal(t, errNoise, err)
	assert.Len(t, got, shownNoise)
	got, err = read(false, strings.Repeat("1", maxNoise), "1TOKEN")
	require.NoError(t, err)
	assert.Len(t, got, shownNoise)
	got, err = read(true, "1TO", "MORROW")
	assert.Equal(t, errWrong, err)
	assert.Equal(t, "1TOMORROW", got)
}

// noises are what a .bashrc or a wrapper may print before it starts a Python.
var noises = map[string]string{
	"banner":         `echo Welcome to box`,
	"one":            `echo 1`,
	"just one":       `printf 1`,
	"many ones":      `printf 1111; sleep 0.05; printf 11`,
	"no line end":    `printf 'you have mail'`,
	"a long message": `head -c 50000 /dev/zero`,
}

// checkNoise starts gateways at a road, in two ways, and checks that they work, and that a warning
// tells what was skipped.
func checkNoise(t *testing.T, spec *xspec.Spec, open func(context.Context) (gatewaybase.IO, error)) {
	t.Helper()
	var warnings bytes.Buffer
	pipe, err := open(t.Context())
	require.NoError(t, err)
	gw, err := Start(within(t, 20*time.Second), pipe, gatewaybase.Config{Spec: spec, Warnings: &warnings})
	require.NoError(t, err)
	echo(t, gw)
	assert.Contains(t, warnings.String(), "execnet: gateway "+spec.ID+": skipped what its far end printed at the start")
	if CanStartLazily(spec) {
		echo(t, StartLazily(within(t, 20*time.Second), open, gatewaybase.Config{Spec: spec, Warnings: io.Discard}))
	}
}

// TestNoiseBeforeTheAnswer has wrappers print something before they start any Python or a Go
// worker.
func TestNoiseBeforeTheAnswer(t *testing.T) {
	installed := pythons.WithExecnet(t)
	for name, noise := range noises {
		t.Run(name, func(t *testing.T) {
			all := []pythons.Interpreter{pythons.Default(t)}
			if name == "one" {
				all = pythons.All(t)
			}
			for _, python := range all {
				wrapper := script(t, noise+"\nexec "+python.Path+` "$@"`)
				for _, form := range []string{"", "//dont_write_bytecode"} {
					spec := parse(t, "popen//id=gwé//python="+wrapper+form)
					checkNoise(t, spec, func(context.Context) (gatewaybase.IO, error) { return popen(spec) })
				}
			}
			wrapper := script(t, noise+"\nexec "+installed+` "$@"`)
			spec := parse(t, "popen//id=gwé//bootstrap=import//python="+wrapper)
			checkNoise(t, spec, func(context.Context) (gatewaybase.IO, error) { return popen(spec) })
		})
	}
}

// TestNoisyShellOverSSH has the shell of an ssh host's user print something, as a .bashrc can.
func TestNoisyShellOverSSH(t *testing.T) {
	rc := filepath.Join(t.TempDir(), "rc")
	sshd, err := opensshd.Start(within(t, 20*time.Second), t.TempDir(), "ForceCommand . "+rc+`; eval "$SSH_ORIGINAL_COMMAND"`)
	require.NoError(t, err)
	defer sshd.Stop()
	opener := gatewayio.Opener{Stderr: io.Discard}
	defer opener.Close()
	base := "ssh=box//ssh_config=" + sshd.ConfigFile + "//id=gwé//python=" + pythons.Default(t).Path
	for name, noise := range noises {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(rc, []byte(noise+"\n"), 0o600))
			spec := parse(t, base)
			open := func(ctx context.Context) (gatewaybase.IO, error) { return opener.Open(ctx, spec) }
			checkNoise(t, spec, open)
			if name == "one" {
				spec = parse(t, base+"//sshclient=openssh")
				checkNoise(t, spec, open)
			}
		})
	}
}

// TestNoiseAndNoAnswer ends with the context, and tells what came.
func TestNoiseAndNoAnswer(t *testing.T) {
	for _, noise := range []string{"echo 1", "echo 1; sleep 0.05; echo 1", "echo welcome"} {
		_, err := startWithin(t, 300*time.Millisecond, "popen//id=gw0//python="+script(t, noise+"\nexec sleep 60"))
		assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
		assert.ErrorContains(t, err, `got "`+strings.TrimPrefix(noise, "echo ")[:1])
		assert.ErrorContains(t, err, "no answer from the interpreter")
	}
}

func startWithin(t *testing.T, d time.Duration, text string) (*gatewaybase.Gateway, error) {
	t.Helper()
	spec := parse(t, text)
	pipe, err := popen(spec)
	require.NoError(t, err)
	return Start(within(t, d), pipe, gatewaybase.Config{Spec: spec})
}

// TestOtherServers has something else than a socket server listen on the port.
func TestOtherServers(t *testing.T) {
	for name, says := range map[string]string{"mail": "220 box ESMTP\r\n", "one": "1\n", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			served := make(chan error, 1)
			go func() {
				conn, err := listener.Accept()
				if err == nil {
					_, err = io.WriteString(conn, says)
					if says != "" {
						_, _ = io.Copy(io.Discard, conn) // until the driver gives up
					}
					conn.Close()
				}
				served <- err
			}()
			spec := parse(t, "socket="+listener.Addr().String()+"//id=gw0")
			opener := gatewayio.Opener{Stderr: io.Discard}
			pipe, err := opener.Open(t.Context(), spec)
			require.NoError(t, err)
			_, err = Start(within(t, 20*time.Second), pipe, gatewaybase.Config{Spec: spec})
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, says, string(failed.Got))
			require.NoError(t, <-served)
			listener.Close()
		})
	}
}

// TestImportNeedsExecnet has interpreters without a usable execnet package say what they need,
// before they answer.
func TestImportNeedsExecnet(t *testing.T) {
	installed := pythons.WithExecnet(t)
	hide := func(files ...string) string {
		dir := t.TempDir()
		for i := 0; i < len(files); i += 2 {
			path := filepath.Join(dir, files[i])
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, []byte(files[i+1]), 0o600))
		}
		return script(t, "PYTHONPATH="+dir+" exec "+installed+` "$@"`)
	}
	for name, test := range map[string]struct{ python, form, want string }{
		"none": {script(t, "exec "+installed+` -S "$@"`), "", "No module named"},
		"old":  {hide("execnet/__init__.py", "", "execnet/gateway_base.py", "def serve(): pass\ndef init_popen_io(): pass\n"), "", "get_execmodel"},
		"torn": {hide("execnet/__init__.py", "1/0"), "", "division"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, "popen//id=gw0//bootstrap=import//python="+test.python+test.form)
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Empty(t, failed.Got)
			assert.ErrorContains(t, err, "bootstrap=import serves with the execnet package (release 1.9, 2.0 or 2.1) of ")
			assert.ErrorContains(t, err, test.want)
			assert.ErrorContains(t, err, "exit status 1")
		})
	}
	t.Run("model", func(t *testing.T) {
		python := hide("gevent/__init__.py", "raise ImportError('no gevent here')")
		_, err := start(t, "popen//id=gw0//bootstrap=import//execmodel=gevent//python="+python)
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Empty(t, failed.Got, "it answered before it could serve")
		assert.ErrorContains(t, err, "no gevent here")
	})
	t.Run("socket", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		// A socket server for one connection.
		server := exec.Command(installed, "-S", "-c", fmt.Sprintf(`import socket
clientsock = socket.create_connection(("127.0.0.1", %d))
exec(eval(clientsock.makefile("r").readline()))`, listener.Addr().(*net.TCPAddr).Port))
		require.NoError(t, server.Start())
		defer func() { assert.Error(t, server.Wait()) }()
		theirs, err := listener.Accept()
		require.NoError(t, err)
		spec := parse(t, "socket=127.0.0.1:1//id=gw0//bootstrap=import")
		_, err = theirs.Write(firstLines(spec, "TOKEN", more{})[0])
		require.NoError(t, err)
		said, err := io.ReadAll(theirs)
		require.NoError(t, err)
		assert.Contains(t, string(said), "bootstrap=import serves with the execnet package (release 1.9, 2.0 or 2.1) of "+installed+", which does not work: ")
		theirs.Close()
	})
}
