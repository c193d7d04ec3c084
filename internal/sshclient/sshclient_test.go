package sshclient

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/xspec"
)

// bound is how long anything over ssh may take on a busy machine.
const bound = 30 * time.Second

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	t.Cleanup(cancel)
	return ctx
}

// testPool returns a pool whose home is empty, and closes it at the end of the test.
func testPool(t *testing.T, options Options) *Pool {
	t.Helper()
	if options.home == "" {
		options.home = t.TempDir()
	}
	options.systemConfig = "/nonexistent/ssh_config"
	if options.Stderr == nil {
		options.Stderr = io.Discard
	}
	p := NewPool(options)
	t.Cleanup(p.Close)
	return p
}

func parseSpec(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	return spec
}

// startSpec starts the interpreter of a spec with ssh=, as package gatewayio does.
func startSpec(ctx context.Context, p *Pool, spec *xspec.Spec) (gatewaybase.IO, error) {
	args, err := sshconfig.ParseArgs(spec.SSH)
	if err != nil {
		return nil, err
	}
	session, err := p.Start(ctx, args, p.ConfigFiles(cmp.Or(args.ConfigFile, spec.SSHConfig)), cmdline.Remote(args.Prefix, spec), spec.SSH, nil, nil)
	if err != nil {
		return nil, err
	}
	return session, nil
}

// start starts a gateway's pipe and ends it with the test.
func start(t *testing.T, p *Pool, spec string) gatewaybase.IO {
	t.Helper()
	pipe, err := startSpec(soon(t), p, parseSpec(t, spec))
	require.NoError(t, err)
	t.Cleanup(func() { endPipe(t, pipe) })
	return pipe
}

func endPipe(t *testing.T, pipe gatewaybase.IO) {
	t.Helper()
	assert.NoError(t, pipe.Kill())
	assert.NoError(t, pipe.Wait(soon(t)))
	assert.NoError(t, pipe.CloseRead())
}

// execLine sends Python source in the form the bootstrap line reads.
func execLine(t *testing.T, pipe io.Writer, source string) {
	t.Helper()
	_, err := fmt.Fprintf(pipe, "%q\n", source)
	require.NoError(t, err)
}

// readExactly reads what the far end is to write next.
func readExactly(t *testing.T, pipe io.Reader, n int) string {
	t.Helper()
	buf := make([]byte, n)
	_, err := io.ReadFull(pipe, buf)
	require.NoError(t, err)
	return string(buf)
}

// requireAlive checks that Python answers at the other end. It stays until its stdin ends.
func requireAlive(t *testing.T, pipe gatewaybase.IO) {
	t.Helper()
	execLine(t, pipe, "import sys;sys.stdout.write('1');sys.stdout.flush();sys.stdin.read()")
	require.Equal(t, "1", readExactly(t, pipe, 1))
}

// startFails returns the error of a gateway that must not start.
func startFails(t *testing.T, p *Pool, spec string) error {
	t.Helper()
	pipe, err := startSpec(soon(t), p, parseSpec(t, spec))
	if err == nil {
		endPipe(t, pipe)
	}
	require.Error(t, err)
	return err
}

// echoSource copies its input to its output until it ends. It says 1 first: what came before that
// could be lost in the buffer of the readline that reads the source.
const echoSource = "import sys,os\nos.write(1,b'1')\nwhile 1:\n  d=os.read(0,65536)\n  if not d: break\n  while d: d=d[os.write(1,d):]\nsys.exit(7)"

func TestBytesBothWays(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pipe := start(t, testPool(t, Options{}), server.Spec())
	assert.Equal(t, "box", pipe.RemoteAddress())
	assert.False(t, pipe.Exit().Known)
	execLine(t, pipe, echoSource)
	require.Equal(t, "1", readExactly(t, pipe, 1))

	// 1 MiB, more than every buffer on the way but the window
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var sent sync.WaitGroup
	sent.Go(func() {
		_, err := pipe.Write(data)
		assert.NoError(t, err)
		assert.NoError(t, pipe.CloseWrite())
	})
	back, err := io.ReadAll(pipe)
	sent.Wait()
	require.NoError(t, err)
	assert.True(t, bytes.Equal(data, back), "%d bytes came back of %d", len(back), len(data))
	require.NoError(t, pipe.Wait(soon(t)))
	assert.Equal(t, gatewaybase.Exit{Known: true, Code: 7}, pipe.Exit())
	_, err = pipe.Write([]byte("x"))
	assert.Error(t, err, "after the end")
}
