package gpython

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-python/gpython/py"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestModulesAreCPythons compares what the snippets of testdata/modules do here and in CPython.
// They tell by show(...), and by tried(f, ...), which shows a result, or an exception's class and
// text. Each snippet runs in an empty folder.
func TestModulesAreCPythons(t *testing.T) {
	names, err := filepath.Glob("testdata/modules/*.txt")
	require.NoError(t, err)
	programs := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, section := range strings.Split(string(text), "=== ")[1:] {
			title, source, _ := strings.Cut(section, "\n")
			title = strings.TrimSuffix(filepath.Base(name), ".txt") + " " + title
			require.NotContains(t, programs, title)
			programs[title] = source
		}
	}
	require.Greater(t, len(programs), 7)
	const tell = `
def tellers(tell):
    def show(*a):
        tell(repr(a))
    def tried(f, *a, **k):
        try:
            show(f(*a, **k))
        except Exception as e:
            show(type(e).__name__, str(e))
    return {'__name__': '__channelexec__', 'show': show, 'tried': tried}
`
	want, files := inCPython(t, tell+`
import os, tempfile
def answer(source, name):
    shown = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        before = dict(os.environ)
        exec(compile(source + "\n", name, "exec"), tellers(shown.append))
        os.chdir("/")
        os.environ.clear()
        os.environ.update(before)
    return "\n".join(shown)
`, programs)
	w := newWorker(t, nil)
	for name, source := range programs {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			ch := w.exec(t, tell+`
def run(channel, source, name):
    exec(compile(source + '\n', name, 'exec'), tellers(channel.send))
`, gatewaybase.Call("run", map[string]any{"source": source, "name": files[name]}))
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

// FuzzJSONLoads ends with a value or an exception, whatever the text.
func FuzzJSONLoads(f *testing.F) {
	for _, text := range []string{`{"a": [1, 2.5e3, "\u20ac\ud83d\ude00", null, NaN]}`, `"\u12`, "[[[[", `{"a":1,}`, "-", "\xff\xfe1\x00", "\x00\x001"} {
		f.Add(text)
	}
	in := newInterp(f.Context(), nil, nil)
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range []py.Object{py.String(strings.ToValidUTF8(text, "?")), py.Bytes(text)} {
			value, err := in.loadsJSON(py.Tuple{o}, nil)
			if err != nil {
				var e *py.Exception
				require.ErrorAs(t, err, &e)
				continue
			}
			again, err := in.jsonText("dumps", py.Tuple{value}, nil)
			require.NoError(t, err)
			twice, err := in.loadsJSON(py.Tuple{py.String(again)}, nil)
			require.NoError(t, err)
			same, err := in.jsonText("dumps", py.Tuple{twice}, nil)
			require.NoError(t, err)
			require.Equal(t, again, same)
		}
	})
}
