package gpython

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// forms are programs that a text file would not keep as they are.
var forms = map[string]string{
	"form feed":  "x = 1\n\f\ndef f():\n    return x\n  \fshow(f())\n",
	"crlf":       "if True:\r\n    x = '''a\r\nb'''\r\n    show(x)\r\n",
	"cr":         "x = 1\rif x:\r    show(x)\r",
	"tabs":       "if True:\n\tif True:\n\t\tshow(1)\n\tshow(2)\n",
	"no newline": "show(1)\nif True:\n    show(2)",
}

// TestDialectIsCPythons compares what programs of testdata/dialect.txt do here and in CPython. They
// tell by show(...).
func TestDialectIsCPythons(t *testing.T) {
	text, err := os.ReadFile("testdata/dialect.txt")
	require.NoError(t, err)
	programs := forms
	for _, section := range strings.Split(string(text), "=== ")[1:] {
		name, source, _ := strings.Cut(section, "\n")
		programs[name] = source
	}
	require.Greater(t, len(programs), 30)
	want, files := inCPython(t, `
def answer(source, name):
    shown = []
    exec(compile(source + "\n", name, "exec"), {"__name__": "__channelexec__", "show": lambda *a: shown.append(repr(a))})
    return "\n".join(shown)
`, programs)
	w := newWorker(t, nil)
	const run = `
def run(channel, source, name):
    ns = {'__name__': '__channelexec__', 'show': lambda *a: channel.send(repr(a))}
    exec(compile(source + '\n', name, 'exec'), ns)
`
	for name, source := range programs {
		t.Run(name, func(t *testing.T) {
			ch := w.exec(t, run, gatewaybase.Call("run", map[string]any{"source": source, "name": files[name]}))
			var got []string
			for shown, err := range gatewaybase.Items[string](within.Soon(t), ch) {
				if !assert.NoError(t, err) {
					break
				}
				got = append(got, shown)
			}
			assert.Equal(t, want[name], strings.Join(got, "\n"))
		})
	}
}
