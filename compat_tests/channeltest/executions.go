package channeltest

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	{"classes of errors", errorClasses},
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
	for _, source := range []string{"raise SystemExit", "import sys; sys.exit(0)", "import sys; sys.exit()"} {
		if ch = r.exec(t, source); r.caps.ExitsAreErrors {
			fails(t, ch, "SystemExit")
		} else {
			ends(t, ch)
		}
	}
	ch = r.exec(t, "import sys; sys.exit('no disk')")
	assert.Equal(t, "no disk", fails(t, ch, "SystemExit").Message())

	for source, ownEnd := range map[string]bool{
		"raise EOFError('by hand')":                                          false,
		"c.waitclose(); c.receive()":                                         false,
		"try: channel.receive()\nexcept EOFError: raise EOFError('by hand')": false,
		"channel.receive()":                                                  true,
		"for item in channel: pass\nchannel.receive()":                       true,
		"try: channel.receive()\nexcept EOFError: raise":                     true,
	} {
		ch = r.exec(t, "c = channel.receive()\n"+source)
		other := r.newThere(t, ch)
		require.NoError(t, other.Close())
		switch {
		case !r.caps.AnyEOFErrorEnds:
			require.NoError(t, ch.CloseSend())
		case strings.Contains(source, "channel"):
			// After CloseSend execnet would not say when the source has ended.
			require.NoError(t, ch.Close())
		}
		if ownEnd || r.caps.AnyEOFErrorEnds {
			ends(t, ch)
		} else {
			fails(t, ch, "EOFError")
		}
	}
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

// errorClasses has errors of all shapes that tracebacks have. Where only the text comes, the class
// and the first line of the message are found in it, and no base class is known.
func errorClasses(t *testing.T, r *run) {
	for _, test := range []struct {
		source, class, message string
		bases                  []string
		python2                string // the class there, if it is another one
	}{
		{source: "1/0", class: "ZeroDivisionError", message: "*", bases: []string{"ArithmeticError", "builtins.Exception"}},
		{source: "raise ValueError('first\\nsecond')", class: "ValueError", message: "first", bases: []string{"Exception"}},
		{source: "raise ValueError('\\nsecond')", class: "ValueError", bases: []string{"Exception"}},
		{source: "class Odd(LookupError): pass\nraise Odd('x')", class: "__channelexec__.Odd", message: "x",
			bases: []string{"LookupError", "Odd"}, python2: "Odd"},
		{source: "def f():\n class Odd(LookupError): pass\n raise Odd('x')\nf()", class: "__channelexec__.f.<locals>.Odd",
			message: "x", bases: []string{"LookupError", "Odd"}, python2: "Odd"},
		{source: "raise type('Odd', (ValueError,), {'__module__': 'my-mod.sub'})('a: b')", class: "my-mod.sub.Odd",
			message: "a: b", bases: []string{"ValueError", "sub.Odd"}, python2: "Odd"},
		{source: "try: {}[1]\nexcept KeyError: raise ValueError('while')", class: "ValueError", message: "while",
			bases: []string{"Exception"}},
		{source: "import traceback\ntry: 1/0\nexcept ZeroDivisionError: text = traceback.format_exc()\n" +
			"raise RuntimeError('child:\\n' + text)", class: "RuntimeError", message: "child:", bases: []string{"Exception"}},
		{source: "raise RuntimeError('child:\\nTraceback (most recent call last):\\nKeyError: 1')", class: "RuntimeError",
			message: "child:", bases: []string{"Exception"}},
		{source: "def f(n): f(n + 1)\ntry: f(0)\nexcept RuntimeError: raise MemoryError('deep')", class: "MemoryError",
			message: "deep", bases: []string{"Exception"}},
		{source: "exec('1 +')", class: "SyntaxError", message: "*", bases: []string{"Exception"}},
		{source: "exec('if 1:\\n1')", class: "IndentationError", message: "*", bases: []string{"SyntaxError"}},
		{source: "open('/no/such/file')", class: "FileNotFoundError", message: "*", bases: []string{"Exception"}, python2: "IOError"},
		{source: "raise SystemExit('no')", class: "SystemExit", message: "no",
			bases: []string{"BaseException"}},
	} {
		e := fails(t, r.exec(t, test.source), classIn(r, test.class, test.python2))
		if test.message != "*" {
			assert.Equal(t, test.message, e.Message(), e.Formatted)
		}
		assert.Equal(t, r.caps.ErrorsAreTexts, len(e.MRO) == 0)
		assert.True(t, e.IsInstance(e.Exception()))
		assert.False(t, e.IsInstance("ImportError"))
		assert.Equal(t, strings.TrimSuffix(e.Exception()+": "+e.Message(), ": "), e.Summary())
		for _, base := range test.bases {
			if !r.caps.ErrorsAreTexts {
				assert.True(t, e.IsInstance(base), "%v is no %s", e.MRO, base)
			}
		}
		if !r.caps.ErrorsAreTexts {
			assert.True(t, strings.HasPrefix(e.Text, e.Message()))
			assert.True(t, e.IsInstance("builtins.object"))
		}
	}
	if !r.caps.Python2 {
		e := fails(t, r.exec(t, "raise type('Fehler_é', (ValueError,), {'__module__': 'möd'})('ü')"), "möd.Fehler_é")
		assert.Equal(t, "möd.Fehler_é: ü", e.Summary())
	}
	if !r.caps.ErrorsAreTexts {
		e := fails(t, r.exec(t, "raise ValueError('x' * (3 << 20))"), "ValueError")
		for _, text := range []string{e.Formatted, e.Text} {
			assert.Less(t, len(text), 1<<20+100)
			assert.Contains(t, text, "bytes are left out here ...]")
		}
		e = fails(t, r.exec(t, "class Bad(Exception):\n def __str__(self): return 1 / 0\nraise Bad()"), "__channelexec__.Bad")
		assert.Equal(t, "<exception str() failed>", e.Text)
		inCallback(t, r)
	}
	newer(t, r)
}

// inCallback has a callback at the worker raise an exception.
func inCallback(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.gateway.newchannel()
def call(item):
    raise KeyError(item)
sub.setcallback(call)
channel.send(sub)
channel.receive()
`)
	sub := receiveAs[*execnet.Channel](t, ch)
	send(t, sub, 7)
	assert.True(t, fails(t, sub, "KeyError").IsInstance("LookupError"))
	send(t, ch, nil)
	ends(t, ch)
}

// newer has the errors that only newer Pythons have.
func newer(t *testing.T, r *run) {
	ch := r.exec(t, "import sys; channel.send(sys.version_info[0] * 100 + sys.version_info[1])")
	version := receiveAs[int](t, ch)
	ends(t, ch)
	if version >= 304 {
		e := fails(t, r.exec(t, "try: 1/0\nexcept ZeroDivisionError as e: raise KeyError('x') from e"), "KeyError")
		assert.Equal(t, "'x'", e.Message())
	}
	if version < 311 {
		return
	}
	e := fails(t, r.exec(t, "e = ValueError('x')\ne.add_note('a note\\nKeyError: 1')\nraise e"), "ValueError")
	assert.Equal(t, "x", e.Message())
	for _, source := range []string{
		"raise ExceptionGroup('all', [ValueError('a'), TypeError('b')])",
		"def f():\n try: 1/0\n except ZeroDivisionError as e: return e\nraise ExceptionGroup('all\\nof', [f(), ExceptionGroup('in', [f()])])",
		"try: 1/0\nexcept ZeroDivisionError as e: raise ExceptionGroup('all', [e])",
		"try: raise ExceptionGroup('of many', [ValueError()])\nexcept ExceptionGroup as e: raise ExceptionGroup('all', [e])",
	} {
		e := fails(t, r.exec(t, source), "ExceptionGroup")
		assert.Regexp(t, "^all", e.Message(), e.Formatted)
		assert.Equal(t, !r.caps.ErrorsAreTexts, e.IsInstance("BaseExceptionGroup"))
	}
	e = fails(t, r.exec(t, "try: raise ExceptionGroup('all', [ValueError('a')])\nexcept ExceptionGroup: raise KeyError(1)"), "KeyError")
	assert.Equal(t, "1", e.Message())
}

// classIn is the name of a class as this worker's errors have it.
func classIn(r *run, class, python2 string) string {
	switch {
	case !r.caps.Python2 || python2 == "":
		return class
	case r.caps.ErrorsAreTexts || python2 != "Odd":
		return python2
	}
	return strings.Replace(class, "f.<locals>.", "", 1)
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
