package channeltest

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var executions = []test{
	{"names of the namespace", names},
	{"indentation is removed", dedent},
	{"coding cookies", cookies},
	{"tracebacks name file and line", tracebacks},
	{"a file is executed", execFile},
	{"an embedded file is executed", execFS},
	{"a function is called", call},
	{"calls that fail", badCalls},
	{"a syntax error", syntaxError},
	{"SystemExit and the like", exits},
	{"an error comes once and after the items", errorInOrder},
	{"messages of errors", errorMessages},
	{"executions side by side", sideBySide},
	{"iteration", iteration},
	{"timeouts", timeouts},
}

func names(t *testing.T, r *run) {
	ch := r.exec(t, `
channel.send((__name__, sorted(set(globals()) - set(["__builtins__"]))))
channel.send((type(channel).__name__, channel.id, channel.isclosed()))
x = 1
def f():
    global x
    x += 1
    return x
channel.send(f())
`)
	require.NoError(t, ch.Reconfigure(t.Context(), execnet.StrConfig{Py2StrAsPy3Str: true}))
	assert.Equal(t, execnet.Tuple{"__channelexec__", []any{"__name__", "channel"}}, receive(t, ch))
	assert.Equal(t, execnet.Tuple{"Channel", int64(ch.ID()), false}, receive(t, ch))
	assert.Equal(t, int64(2), receive(t, ch))
	ends(t, ch)
	ch = r.exec(t, "channel.send('x' in globals())")
	assert.Equal(t, false, receive(t, ch), "each execution has a namespace of its own")
	ends(t, ch)
}

func dedent(t *testing.T, r *run) {
	ch := r.exec(t, "\n\t\tif True:\n\t\t\tchannel.send('''a\n\t\t  b''')\n   \n\n\t\t# end without a newline")
	assert.Equal(t, "a\n  b", receive(t, ch))
	ends(t, ch)
	for _, source := range []string{"", "\n\n", "# only a comment", "pass # \x0c", "channel\r\nchannel\r\n"} {
		ch := r.exec(t, source)
		ends(t, ch)
	}
}

func cookies(t *testing.T, r *run) {
	for _, source := range []string{"# -*- coding: utf-8 -*-\n", "#!/usr/bin/env python\n# coding=latin-1\n"} {
		ch := r.exec(t, source+"channel.send(u'é')\n")
		if r.caps.RefusesCookies {
			fails(t, ch, "SyntaxError")
			continue
		}
		assert.Equal(t, "é", receive(t, ch), "the text is sent as text, whatever the cookie says of bytes")
		ends(t, ch)
	}
}

func tracebacks(t *testing.T, r *run) {
	source := `
	def outer():
		inner()
	def inner():
		{}["no such key"]
	outer()
	`
	for _, test := range []struct {
		options []gatewaybase.ExecOption
		frames  []string
	}{
		{nil, []string{`File "<remote exec>", line 6, in <module>`, `File "<remote exec>", line 3, in outer`,
			`File "<remote exec>", line 5, in inner`}},
		{[]gatewaybase.ExecOption{execnet.File("dir/caller.go", 100)}, []string{`File "dir/caller.go", line 105, in <module>`,
			`File "dir/caller.go", line 102, in outer`, `File "dir/caller.go", line 104, in inner`}},
		{[]gatewaybase.ExecOption{execnet.File("ünï.go", 1)}, []string{`line 6, in <module>`}},
	} {
		ch, err := r.gw.RemoteExec(t.Context(), source, test.options...)
		require.NoError(t, err)
		if r.caps.ASCIIFileNames && len(test.frames) == 1 {
			fails(t, ch, "UnicodeEncodeError")
			continue
		}
		remote := fails(t, ch, "KeyError")
		assert.Equal(t, "'no such key'", remote.Message())
		assert.Regexp(t, `\ATraceback \(most recent call last\):\n`, remote.Formatted)
		for _, frame := range test.frames {
			assert.Contains(t, remote.Formatted, frame)
		}
	}
}

//go:embed remote
var embedded embed.FS

const module = "remote/divide.py"

// checkModule checks the result of executing the module.
func checkModule(t *testing.T, ch *execnet.Channel, err error, file string) {
	t.Helper()
	require.NoError(t, err)
	assert.Equal(t, 4.0, receive(t, ch))
	remote := fails(t, ch, "ZeroDivisionError")
	assert.Contains(t, remote.Formatted, fmt.Sprintf(`File "%s", line 10, in <module>`, file))
	assert.Contains(t, remote.Formatted, fmt.Sprintf(`File "%s", line 5, in divide`, file))
}

func execFile(t *testing.T, r *run) {
	source, err := embedded.ReadFile(module)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "divide.py")
	require.NoError(t, os.WriteFile(file, source, 0o600))
	ch, err := r.gw.RemoteExecFile(t.Context(), file)
	checkModule(t, ch, err, file)

	ch, err = r.gw.RemoteExecFile(t.Context(), file, execnet.Call("divide", nil))
	assert.Nil(t, ch)
	assert.ErrorContains(t, err, `must be named channel, not "a"`)
}

func execFS(t *testing.T, r *run) {
	ch, err := r.gw.RemoteExecFS(t.Context(), embedded, module)
	checkModule(t, ch, err, module)
}

func call(t *testing.T, r *run) {
	ch, err := r.gw.RemoteExec(t.Context(), `
		base = 100
		def job(channel, first, second=2, *args, **rest):
			channel.send((base + first, second, args, sorted(rest)))
			for item in channel:
				channel.send(item * first)
			raise RuntimeError(u"done")
		`, execnet.Call("job", map[string]any{"first": 3, "other": []any{1}, "another": nil}), execnet.File("job.py", 10))
	require.NoError(t, err)
	assert.Equal(t, execnet.Tuple{int64(103), int64(2), execnet.Tuple{}, []any{"another", "other"}}, receive(t, ch))
	send(t, ch, "ab")
	assert.Equal(t, "ababab", receive(t, ch))
	require.NoError(t, ch.Close())

	ch, err = r.gw.RemoteExec(t.Context(), "def job(channel):\n    raise RuntimeError('x')\n", execnet.Call("job", nil), execnet.File("job.py", 10))
	require.NoError(t, err)
	assert.Contains(t, fails(t, ch, "RuntimeError").Formatted, `File "job.py", line 11, in job`)
}

func badCalls(t *testing.T, r *run) {
	ch, err := r.gw.RemoteExec(t.Context(), "def job(channel, n): pass", execnet.Call("job", nil))
	require.NoError(t, err)
	fails(t, ch, "TypeError")
	ch, err = r.gw.RemoteExec(t.Context(), "job = 3 # a name that is there, and no function", execnet.Call("job", nil))
	require.NoError(t, err)
	fails(t, ch, "TypeError")
	ch, err = r.gw.RemoteExec(t.Context(), "# job", execnet.Call("job", nil))
	require.NoError(t, err)
	fails(t, ch, "KeyError")
}

func syntaxError(t *testing.T, r *run) {
	ch, err := r.gw.RemoteExec(t.Context(), "x = 1\ny = = 2\n", execnet.File("broken.py", 7))
	require.NoError(t, err)
	remote := fails(t, ch, "SyntaxError")
	assert.Contains(t, remote.Formatted, `File "broken.py", line 8`)
	ch = r.exec(t, "if True:\npass")
	fails(t, ch, "IndentationError")
}

func exits(t *testing.T, r *run) {
	ch := r.exec(t, "import sys; sys.exit(3)")
	assert.Equal(t, "3", fails(t, ch, "SystemExit").Message())
	ch = r.exec(t, "raise SystemExit")
	fails(t, ch, "SystemExit")
	ch = r.exec(t, "raise EOFError('no error to execnet')")
	ends(t, ch)
	if !r.caps.green() { // with greenlets it ends the hub, and so the worker
		ch = r.exec(t, "raise KeyboardInterrupt")
		assert.EqualError(t, ch.WaitClose(within.Soon(t)), "keyboard-interrupted")
	}
	ch = r.exec(t, "class Odd(BaseException): pass\nraise Odd('odd')")
	assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), "Odd: odd")
	ch = r.exec(t, "channel.send('the worker lives on')")
	assert.Equal(t, "the worker lives on", receive(t, ch))
	ends(t, ch)
}

func errorInOrder(t *testing.T, r *run) {
	ch := r.exec(t, `
for i in range(3): channel.send(i)
raise ValueError("after three")
`)
	for i := range 3 {
		assert.Equal(t, int64(i), receive(t, ch))
	}
	_, err := ch.Receive(within.Soon(t))
	var remote *execnet.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, [2]string{"ValueError", "after three"}, [2]string{remote.Exception(), remote.Message()})
	for range 2 {
		atEnd(t, ch)
	}
	assert.NoError(t, ch.WaitClose(within.Soon(t)), "it was raised once")
	assert.True(t, ch.IsClosed())
	assert.ErrorIs(t, ch.Send(t.Context(), 1), execnet.ErrClosed)

	ch = r.exec(t, "channel.send(1); raise ValueError('x')")
	fails(t, ch, "ValueError")
	assert.Equal(t, int64(1), receive(t, ch), "items that came before the error are there after it")
	atEnd(t, ch)
}

func errorMessages(t *testing.T, r *run) {
	for source, want := range map[string]string{
		"raise ValueError(u'é€ is no ASCII'.encode('ascii', 'backslashreplace').decode())": `\xe9\u20ac is no ASCII`,
		"raise ValueError('first\\nsecond')":                                               "first",
		"raise ValueError":                                                                 "",
		"try: {}[1]\nexcept KeyError: raise ValueError('while another was handled')":       "while another was handled",
	} {
		ch := r.exec(t, source)
		assert.Equal(t, want, fails(t, ch, "ValueError").Message(), source)
	}
	ch := r.exec(t, "class Bad(Exception):\n def __str__(self): raise TypeError('even this fails')\nraise Bad()")
	err := ch.WaitClose(within.Soon(t))
	assert.ErrorContains(t, err, "Bad")
	if !r.caps.Python2 {
		ch = r.exec(t, "raise ValueError('é€😀')")
		assert.Equal(t, "é€😀", fails(t, ch, "ValueError").Message())
	}
}

// sideBySide runs executions at the same time and lets the last of them end first.
func sideBySide(t *testing.T, r *run) {
	r.idle(t)
	const many = 20
	var waiting [many]*execnet.Channel
	for i := range waiting {
		waiting[i] = r.exec(t, "channel.send(channel.receive() + 1)")
	}
	status, err := r.gw.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, many, status.NumExecuting)
	for i := range waiting {
		send(t, waiting[many-1-i], i)
		assert.Equal(t, int64(i+1), receive(t, waiting[many-1-i]))
		ends(t, waiting[many-1-i])
	}
}

func iteration(t *testing.T, r *run) {
	ch := r.exec(t, `
total = 0
for n in channel:
    if n is None:
        break
    total += n
    channel.send(total)
`)
	send(t, ch, 1, 2, 3, nil)
	var got []any
	for item, err := range ch.Items(within.Soon(t)) {
		require.NoError(t, err)
		got = append(got, item)
	}
	assert.Equal(t, []any{int64(1), int64(3), int64(6)}, got)

	ch = r.exec(t, "channel.send(1); raise ValueError('at last')")
	var last error
	for _, last = range execnet.Items[int](within.Soon(t), ch) {
	}
	assert.ErrorContains(t, last, "at last")
}

func timeouts(t *testing.T, r *run) {
	ch := r.exec(t, `
try:
    channel.receive(0.01)
except channel.TimeoutError as e:
    channel.send((isinstance(e, IOError), "came"))
channel.send(channel.receive(30))
sub = channel.gateway.newchannel()
try:
    sub.waitclose(timeout=0.01)
except sub.TimeoutError:
    channel.send("waitclose")
`)
	assert.Equal(t, execnet.Tuple{true, "came"}, receive(t, ch))
	_, err := ch.Receive(within.Time(t, 1))
	assert.ErrorIs(t, err, execnet.ErrTimeout)
	err = ch.WaitClose(within.Time(t, 10*time.Millisecond))
	assert.ErrorIs(t, err, execnet.ErrTimeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	send(t, ch, "late")
	assert.Equal(t, "late", receive(t, ch))
	assert.Equal(t, "waitclose", receive(t, ch))
	ends(t, ch)
}
