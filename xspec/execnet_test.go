package xspec_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

// reader prints, for each text of a JSON list, what Python execnet reads: its attributes, or null.
const reader = `
import sys, json, execnet
def attributes(text):
    try:
        spec = execnet.XSpec(text)
    except (AttributeError, ValueError, IndexError):
        return None
    found = {key: value for key, value in vars(spec).items() if key not in ("_spec", "env")}
    found.update(("env:" + name, value) for name, value in spec.env.items())
    return found
print(json.dumps([attributes(text) for text in json.loads(sys.stdin.read())]))
`

// TestAgainstExecnet reads thousands of generated texts with Python's XSpec too: what we accept,
// Python accepts with the same keys and values; what only we refuse is one of the refusals that
// Parse documents.
func TestAgainstExecnet(t *testing.T) {
	key := rapid.SampledFrom([]string{
		"popen", "ssh", "socket", "python", "chdir", "id", "nice", "via", "installvia", "execmodel", "dont_write_bytecode",
		"ssh_config", "vagrant_ssh", "env:A", "env:B", "env:", "env", "x", "Y y", "_z", "", "é", "a/b",
	})
	value := rapid.SampledFrom([]string{"", "=", "=1", "=12", "=a b", "=a=b", `=c:\x`, "=/", "=é", "=", "=no", "=x/"})
	pairs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return key.Draw(t, "key") + value.Draw(t, "value") }), 1, 5)
	texts := make([]string, 4000)
	for i := range texts {
		texts[i] = strings.Join(pairs.Example(i), "//")
	}

	input, err := json.Marshal(texts)
	require.NoError(t, err)
	cmd := exec.Command(pythons.WithExecnet(t), "-c", reader)
	cmd.Stdin = bytes.NewReader(input)
	output, err := cmd.Output()
	require.NoError(t, err)
	var theirs []map[string]any
	require.NoError(t, json.Unmarshal(output, &theirs))
	require.Len(t, theirs, len(texts))

	accepted := 0
	for i, text := range texts {
		spec, err := xspec.Parse(text)
		if err != nil {
			problem := err.(*xspec.Error).Problem
			for _, alike := range []string{"key is missing", "underscore"} {
				if strings.Contains(problem, alike) {
					assert.Nil(t, theirs[i], "only we refuse %q: %v", text, err)
				}
			}
			continue
		}
		if !assert.NotNil(t, theirs[i], "only we accept %q", text) {
			continue
		}
		accepted++
		for key, want := range theirs[i] {
			value, isSet := spec.Get(key)
			switch {
			case want == true:
				assert.True(t, isSet && value == "", "%q: %s", text, key)
			case key == "popen" || key == "dont_write_bytecode":
				assert.Equal(t, want != "no", isSet, "%q: %s", text, key)
			default:
				assert.True(t, isSet, "%q: %s", text, key)
				assert.Equal(t, want, value, "%q: %s", text, key)
			}
		}
	}
	assert.Greater(t, accepted, 300, "too few of the generated texts are valid to prove anything")
}
