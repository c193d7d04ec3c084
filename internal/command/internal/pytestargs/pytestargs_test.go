package pytestargs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.StringP("numprocesses", "n", "", "")
	flags.StringArray("tx", nil, "")
	flags.Bool("json", false, "")
	for _, c := range []struct{ args, ours, rest []string }{
		{nil, nil, nil},
		{[]string{"-x", "-n", "4", "tests", "--tx", "popen", "-v"}, []string{"-n", "4", "--tx", "popen"}, []string{"-x", "tests", "-v"}},
		{[]string{"-n4", "--json", "a", "--tx=popen//python=x"}, []string{"-n4", "--json", "--tx=popen//python=x"}, []string{"a"}},
		{[]string{"-k", "--json", "-m", "-n", "-vk", "--tx", "--json"}, []string{"--json"}, []string{"-k", "--json", "-m", "-n", "-vk", "--tx"}},
		{[]string{"--json", "--", "--json", "-n"}, []string{"--json"}, []string{"--json", "-n"}},
		{[]string{"-n"}, []string{"-n"}, nil},
		{[]string{"-k"}, nil, []string{"-k"}},
		{[]string{"-"}, nil, []string{"-"}},
		{[]string{"--maxfail=2", "--jsonx", "-no"}, []string{"-no"}, []string{"--maxfail=2", "--jsonx"}},
	} {
		ours, rest := Split(c.args, flags)
		assert.Equal(t, c.ours, ours, c.args)
		assert.Equal(t, c.rest, rest, c.args)
	}
}

func TestHasAndValue(t *testing.T) {
	args := []string{"-v", "--color=yes", "--pdb", "--color", "no", "--", "--trace", "--color=auto"}
	assert.True(t, Has(args, "--trace", "--pdb"))
	assert.True(t, Has(args, "--color"))
	assert.False(t, Has(args, "--trace"))
	value, ok := Value(args, "--color")
	assert.True(t, ok)
	assert.Equal(t, "no", value)
	_, ok = Value(args, "--rootdir")
	assert.False(t, ok)
}

func TestRoot(t *testing.T) {
	base := t.TempDir()
	at := func(path string) string { return filepath.Join(base, filepath.FromSlash(path)) }
	for path, text := range map[string]string{
		"ini/pytest.ini": "", "ini/sub/tox.ini": "[tox]", "ini/sub/deep/test_a.py": "", "ini/other/test_b.py": "",
		"toml/pyproject.toml": "[tool.pytest.ini_options]", "toml/sub/setup.py": "", "toml/sub/test_c.py": "",
		"setup/setup.py": "", "setup/sub/test_d.py": "", "none/sub/test_e.py": "",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(at(path)), 0o700))
		require.NoError(t, os.WriteFile(at(path), []byte(text), 0o600))
	}
	for _, c := range []struct {
		here string
		args []string
		want string
	}{
		{"ini", nil, "ini"},
		{"ini/sub/deep", []string{"-v"}, "ini"},
		{"none", []string{at("ini/sub/deep/test_a.py::test_x"), at("ini/other")}, "ini"},
		{"ini", []string{"-k", "nothing", "--co"}, "ini"},
		{"toml/sub", []string{"test_c.py"}, "toml"},
		{"setup/sub", nil, "setup"},
		{"none/sub", nil, "none/sub"},
		{"none", []string{"sub/test_e.py::test_x[a::b]"}, "none/sub"},
		{"none", []string{"--rootdir=../ini"}, "ini"},
		{"none", []string{"-c", at("toml/x.ini")}, "toml"},
		{"ini", []string{at("setup/sub"), at("none")}, ""},
	} {
		assert.Equal(t, at(c.want), Root(c.args, at(c.here)), c.args)
	}
}
