package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	return spec
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// end ends a gateway's worker and waits for everything of it.
func end(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	gw.Exit()
	require.NoError(t, gw.Join(within(t, 20*time.Second)))
	require.NoError(t, gw.Join(within(t, 20*time.Second)))
}

// popen starts an interpreter on this machine.
func popen(spec *xspec.Spec) (gatewaybase.IO, error) {
	opener := gatewayio.Opener{Stderr: io.Discard}
	return opener.Open(context.Background(), spec)
}

func start(t *testing.T, text string) (*gatewaybase.Gateway, error) {
	t.Helper()
	spec := parse(t, text)
	pipe, err := popen(spec)
	require.NoError(t, err)
	return Start(within(t, 20*time.Second), pipe, gatewaybase.Config{Spec: spec})
}

// TestEveryFormOfTheFirstLine starts each interpreter with the worker as a cached module, as
// source, and lazily.
func TestEveryFormOfTheFirstLine(t *testing.T) {
	for _, python := range pythons.All(t) {
		for _, form := range []string{"", "//dont_write_bytecode"} {
			spec := parse(t, python.Spec()+"//id=gwé"+form)
			open := func(context.Context) (gatewaybase.IO, error) { return popen(spec) }
			t.Run(python.Version()+form, func(t *testing.T) {
				pipe, err := open(t.Context())
				require.NoError(t, err)
				gw, err := Start(within(t, 20*time.Second), pipe, gatewaybase.Config{Spec: spec})
				require.NoError(t, err)
				echo(t, gw)
			})
			t.Run(python.Version()+form+" lazily", func(t *testing.T) {
				echo(t, StartLazily(within(t, 20*time.Second), open, gatewaybase.Config{Spec: spec}))
			})
		}
	}
}

func echo(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	defer end(t, gw)
	// Python 2's str are bytes.
	require.NoError(t, gw.Reconfigure(t.Context(), gatewaybase.StrConfig{}))
	ch, err := gw.RemoteExec(t.Context(), "for x in channel: channel.send((channel.gateway.id, x))")
	require.NoError(t, err)
	for _, x := range []any{"é\x00\"\\\n", bytes.Repeat([]byte{0, 255, '"'}, 20), int64(7)} {
		require.NoError(t, ch.Send(t.Context(), x))
		var got [2]any
		require.NoError(t, ch.ReceiveInto(within(t, 20*time.Second), &got))
		id := got[0]
		if b, ok := id.([]byte); ok {
			id = string(b)
		}
		assert.Equal(t, "gwé-worker", id)
		assert.Equal(t, x, got[1])
	}
}

// startCached makes an interpreter import the worker from a folder, and checks that it works.
func startCached(t *testing.T, python pythons.Interpreter, folder string) {
	t.Helper()
	spec := parse(t, python.Spec()+"//id=gwé")
	pipe, err := popen(spec)
	require.NoError(t, err)
	_, err = pipe.Write(append(line(cachedSource(folder, spec, "TOKEN", more{})), workerLine()...))
	require.NoError(t, err)
	answer := make([]byte, len("1TOKEN"))
	_, err = io.ReadFull(pipe, answer)
	require.NoError(t, err, pipe.Exit().Stderr)
	assert.Equal(t, "1TOKEN", string(answer))
	echo(t, gatewaybase.New(pipe, gatewaybase.Config{Spec: spec}))
}

// TestUnreadableCache has interpreters that cannot import the cached worker execute its source.
func TestUnreadableCache(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) { startCached(t, python, filepath.Join(t.TempDir(), "none")) })
	}
}

// TestTornCache cuts the compiled form of the worker off, as a full disk does, at several places.
func TestTornCache(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, workerModule+".py"), []byte(workerSource()), 0o600))
			for _, left := range []int64{10, 5000} {
				startCached(t, python, folder) // makes the compiled form, where there is none
				compiled, err := filepath.Glob(filepath.Join(folder, "__pycache__", "*.pyc"))
				require.NoError(t, err)
				if python.Major == 2 {
					compiled = []string{filepath.Join(folder, workerModule+".pyc")}
				}
				require.Len(t, compiled, 1)
				require.NoError(t, os.Truncate(compiled[0], left))
				startCached(t, python, folder)
				if info, err := os.Stat(compiled[0]); err == nil {
					assert.NotEqual(t, left, info.Size(), "the torn file is still there")
				}
			}
		})
	}
}

func TestSetUp(t *testing.T) {
	python := "popen//python=" + pythons.WithExecnet(t)
	for name, form := range map[string]string{"ours": "", "installed": "//bootstrap=import"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "b \"é")
			gw, err := start(t, python+"//id=x//nice=3//env:GREETING=hé \\ \"you\"//chdir="+dir+form)
			require.NoError(t, err)
			defer end(t, gw)
			ch, err := gw.RemoteExec(t.Context(), `import os; channel.send([os.getcwd(), os.environ["GREETING"], str(os.nice(0) - os.getpriority(os.PRIO_PROCESS, os.getppid()))])`)
			require.NoError(t, err)
			var got []string
			require.NoError(t, ch.ReceiveInto(within(t, 20*time.Second), &got))
			assert.Equal(t, []string{dir, "hé \\ \"you\"", "3"}, got)

			_, err = start(t, python+"//id=y//chdir="+os.DevNull+"/x"+form)
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.ErrorContains(t, err, os.DevNull)
			assert.ErrorContains(t, err, "gateway y")
		})
	}
}

// script is an executable that stands in for a Python.
func script(t *testing.T, text string) string {
	t.Helper()
	return pythons.Program(t, t.TempDir(), "python", "#!/bin/sh\n"+text+"\n")
}

func TestWhatIsNoPython(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"banner":   {`echo "Welcome to box"`, `got "Welcome to box\n", then the end of its output (exit status 0)`},
		"silent":   {"exit 3", "ended without an answer (exit status 3); it has to be Python 2.7, or 3.6 or newer"},
		"stderr":   {"echo no such interpreter >&2; exit 127", "no such interpreter"},
		"signal":   {"kill -9 $$", "signal: killed"},
		"binary":   {`head -c 3000 /dev/zero`, `got "\x00\x00`},
		"endless":  {`exec yes`, `got "y\ny\n`},
		"much":     {`head -c 66000 /dev/zero; exec sleep 60`, "more than 64 KiB came, and no worker's answer: whatever prints"},
		"echo":     {`exec cat`, "what is sent there comes back"},
		"number":   {`echo 1; exit 3`, `got "1\n", then the end of its output (exit status 3)`},
		"deaf":     {"exec <&-; sleep 0.2; echo gone >&2", "gone"},
		"wrong py": {`exec python3 -c "print('hi')"`, `got "hi\n"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, "popen//id=gw0//python="+script(t, test.text))
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.ErrorContains(t, err, test.want)
			assert.ErrorContains(t, err, "gateway gw0 (popen//id=gw0//python=")
		})
	}
}

func TestSilenceEndsWithTheContext(t *testing.T) {
	spec := parse(t, "popen//id=gw0//python="+script(t, "trap '' TERM; exec sleep 60"))
	open := func(context.Context) (gatewaybase.IO, error) { return popen(spec) }
	pipe, err := open(t.Context())
	require.NoError(t, err)
	_, err = Start(within(t, 100*time.Millisecond), pipe, gatewaybase.Config{Spec: spec})
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	require.NoError(t, pipe.Wait(within(t, 10*time.Second)), "it was killed and reaped")

	gw := StartLazily(within(t, time.Second), open, gatewaybase.Config{Spec: spec})
	ch, err := gw.RemoteExec(t.Context(), "pass") // it waits, too, if the pipe is there already
	if err == nil {
		err = ch.WaitClose(within(t, 10*time.Second))
	}
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	end(t, gw)
}

func TestLazyFailures(t *testing.T) {
	spec := parse(t, "popen//id=gw0")
	gw := StartLazily(t.Context(), func(context.Context) (gatewaybase.IO, error) {
		return nil, errors.New("no road there")
	}, gatewaybase.Config{Spec: spec})
	ch, err := gw.RemoteExec(t.Context(), "pass")
	if err == nil {
		_, err = ch.Receive(within(t, 10*time.Second))
	}
	assert.EqualError(t, err, "no road there")
	assert.EqualError(t, gw.Err(), "no road there")
	end(t, gw)

	// One that is ended while it is still being reached.
	reached := make(chan struct{})
	gw = StartLazily(t.Context(), func(ctx context.Context) (gatewaybase.IO, error) {
		close(reached)
		<-ctx.Done()
		return nil, ctx.Err()
	}, gatewaybase.Config{Spec: spec})
	<-reached
	require.NoError(t, gw.Kill())
	require.NoError(t, gw.Join(within(t, 10*time.Second)))
	require.NoError(t, gw.Join(within(t, 10*time.Second)))
}

func TestLazyCarriesMuchAndLittle(t *testing.T) {
	spec := parse(t, "popen//id=gw0")
	let := make(chan struct{})
	gw := StartLazily(within(t, 20*time.Second), func(context.Context) (gatewaybase.IO, error) {
		<-let
		return popen(spec)
	}, gatewaybase.Config{Spec: spec})
	defer end(t, gw)
	ch, err := gw.RemoteExec(t.Context(), "for x in channel: channel.send(len(x))")
	require.NoError(t, err)
	sent := make(chan error, 1)
	go func() { // more than is kept: this waits
		err := ch.Send(t.Context(), strings.Repeat("x", 1000))
		for range 3 {
			err = errors.Join(err, ch.Send(t.Context(), make([]byte, maxAhead-100000)))
		}
		sent <- err
	}()
	close(let)
	for _, want := range []int{1000, maxAhead - 100000, maxAhead - 100000, maxAhead - 100000} {
		var got int
		require.NoError(t, ch.ReceiveInto(within(t, 20*time.Second), &got))
		assert.Equal(t, want, got)
	}
	require.NoError(t, <-sent)
}

// TestLiterals has each Python read what is written for it.
func TestLiterals(t *testing.T) {
	text := "a\"'\\\n\t\x00\x7fé€\U0001F40D{}%s"
	raw := []byte("a\"'\\\n\x00\xff")
	for _, python := range pythons.All(t) {
		out, err := exec.Command(python.Path, "-c",
			"import sys; a, b = eval(sys.argv[1]); assert a == eval(sys.argv[2]), a; assert list(bytearray(b)) == eval(sys.argv[3]), b",
			"("+pystring.ASCII(text)+", "+pystring.Bytes(raw)+")",
			`u"a\"'\\\n\t\x00\x7f\u00e9\u20ac\U0001F40D{}%s"`,
			"[97, 34, 39, 92, 10, 0, 255]").CombinedOutput()
		assert.NoError(t, err, "%s: %s", python.Version(), out)
	}
}

// TestModulesInTheUsersFolder starts each interpreter in a folder whose files have the names of
// modules of the standard library.
func TestModulesInTheUsersFolder(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"base64", "struct", "re", "token", "traceback", "threading", "collections", "types", "weakref"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+".py"), []byte("mine = 1\n"), 0o600))
	}
	t.Chdir(folder)
	for _, python := range pythons.All(t) {
		for _, form := range []string{"", "//dont_write_bytecode"} {
			t.Run(python.Version()+form, func(t *testing.T) {
				gw, err := start(t, python.Spec()+"//id=gwé"+form)
				require.NoError(t, err)
				echo(t, gw)
			})
		}
	}
}
