package gpython

import (
	"maps"
	"os"
	"strconv"
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

// TestDerivedIsCPythons compares what the programs of testdata/derived.txt do, which derive classes
// from built-in types.
func TestDerivedIsCPythons(t *testing.T) {
	compareShown(t, likeGpython(t), "", readPrograms(t, "testdata/derived.txt"))
}

// readPrograms reads a file of programs, each after a line with its name.
func readPrograms(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	programs := make(map[string]string)
	for _, section := range strings.Split(string(text), "=== ")[1:] {
		name, source, _ := strings.Cut(section, "\n")
		programs[name] = source
	}
	require.NotEmpty(t, programs)
	return programs
}

// TestDialectIsCPythons compares what programs of testdata/dialect.txt do here and in CPython. They
// tell by show(...).
func TestDialectIsCPythons(t *testing.T) {
	programs := readPrograms(t, "testdata/dialect.txt")
	maps.Copy(programs, forms)
	require.Greater(t, len(programs), 30)
	compareShown(t, likeGpython(t), "", programs)
}

// compareShown compares what programs show here and in a CPython, which has a feature of __future__
// if one is named.
func compareShown(t *testing.T, python, feature string, programs map[string]string) {
	t.Helper()
	want, files := inPython(t, python, `
import __future__
def answer(source, name):
    shown = []
    feature = getattr(__future__, `+strconv.Quote(feature)+`, None)
    exec(compile(source + "\n", name, "exec", feature.compiler_flag if feature else 0), {"__name__": "__channelexec__", "show": lambda *a: shown.append(repr(a))})
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
