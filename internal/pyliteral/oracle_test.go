package pyliteral_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/serializer"
)

// answers is a Python program that answers each line, a JSON object, with another.
const answers = `
import sys, json, ast, base64, unicodedata, warnings, execnet
warnings.simplefilter("ignore")

def canonical(v):
    if isinstance(v, (set, frozenset)):
        return type(v).__name__ + "{" + ", ".join(sorted(map(canonical, v))) + "}"
    if isinstance(v, (list, tuple)):
        return type(v).__name__ + "(" + ", ".join(map(canonical, v)) + ")"
    if isinstance(v, dict):
        return "dict(" + ", ".join(canonical(key) + ": " + canonical(value) for key, value in v.items()) + ")"
    return repr(v)

for line in sys.stdin:
    ask = json.loads(line)
    answer = {}
    try:
        if "dump" in ask:
            v = execnet.loads(base64.b64decode(ask["dump"]))
        elif "text" in ask:
            v = ast.literal_eval(ask["text"])
        else:
            v = [unicodedata.unidata_version] + [c for c in range(0x110000) if chr(c).isprintable()]
            answer["printable"] = v[1:]
            answer["unicode"] = v[0]
        answer["repr"], answer["canonical"] = repr(v), canonical(v)
    except Exception as e:
        answer["error"] = "%s: %s" % (type(e).__name__, e)
    print(json.dumps(answer), flush=True)
`

type question struct {
	Dump []byte  `json:"dump,omitempty"`
	Text *string `json:"text,omitempty"`
}

type answer struct {
	Repr, Canonical, Error, Unicode string
	Printable                       []rune
}

// oracle is one Python process for many questions.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func newOracle(tb testing.TB) *oracle {
	cmd := exec.Command(pythons.WithExecnet(tb), "-c", answers)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "PYTHONINTMAXSTRDIGITS=0")
	in, err := cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		in.Close()
		require.NoError(tb, cmd.Wait())
	})
	return &oracle{in: in, out: bufio.NewReader(out)}
}

func (o *oracle) ask(t require.TestingT, q question) answer {
	line, err := json.Marshal(q)
	require.NoError(t, err)
	_, err = o.in.Write(append(line, '\n'))
	require.NoError(t, err)
	reply, err := o.out.ReadBytes('\n')
	require.NoError(t, err)
	var a answer
	require.NoError(t, json.Unmarshal(reply, &a))
	return a
}

// canonical is a text that names types and has the items of sets in a fixed order, for comparing
// values with Python's.
func canonical(v any) string { return canonicalBy(v, pyliteral.Format) }

// loose is canonical but for a real part of -0, which Python gives to what it reads from "-1j".
func loose(v any) string {
	return canonicalBy(v, func(v any) string {
		if c, ok := v.(complex128); ok && real(c) == 0 {
			v = complex(0, imag(c))
		}
		return pyliteral.Format(v)
	})
}

func canonicalBy(v any, scalar func(any) string) string {
	canonical := func(v any) string { return canonicalBy(v, scalar) }
	join := func(name string, items []any) string {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = canonical(item)
		}
		if name == "set{" || name == "frozenset{" {
			slices.Sort(texts)
			return name + strings.Join(texts, ", ") + "}"
		}
		return name + strings.Join(texts, ", ") + ")"
	}
	switch x := v.(type) {
	case []any:
		return join("list(", x)
	case serializer.Tuple:
		return join("tuple(", x)
	case *serializer.Set:
		return join("set{", slices.Collect(x.All()))
	case serializer.FrozenSet:
		return join("frozenset{", slices.Collect(x.All()))
	case *serializer.Dict:
		var texts []string
		for key, value := range x.All() {
			texts = append(texts, canonical(key)+": "+canonical(value))
		}
		return "dict(" + strings.Join(texts, ", ") + ")"
	}
	return scalar(v)
}

// bigSet reports whether v contains a set whose items Python may print in another order.
func bigSet(v any) bool {
	switch x := v.(type) {
	case []any:
		return slices.ContainsFunc(x, bigSet)
	case serializer.Tuple:
		return slices.ContainsFunc(x, bigSet)
	case *serializer.Set:
		return x.Len() > 1 || slices.ContainsFunc(slices.Collect(x.All()), bigSet)
	case serializer.FrozenSet:
		return x.Len() > 1 || slices.ContainsFunc(slices.Collect(x.All()), bigSet)
	case *serializer.Dict:
		for key, value := range x.All() {
			if bigSet(key) || bigSet(value) {
				return true
			}
		}
	}
	return false
}
