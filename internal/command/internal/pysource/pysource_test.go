package pysource_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/command/internal/pysource"
)

func TestSingleFunction(t *testing.T) {
	for _, source := range []string{
		"def f(channel): channel.send(1)",
		"\n# what it does\n\ndef  f (channel,\na=[')'],\n):\n    pass\n\n# the end",
		"  def f(channel):\n    x = '''\nouter\n'''\n    return 1  # it's\n",
		"\tdef f(channel):\n\t\tpass",
		"@decorator(\n1)\ndef f(channel):\n  pass",
		"def f[T](channel: T):\n  pass",
		"def f(channel): \\\n pass",
		"def f(channel): \\\r\n pass\r\n",
		"def f(channel):\n    s = \"#\\\"\" ; t = '\\\\'\n    u = r'''\\''' '''\n",
		"def f(channel):\n  def g(): pass\n\f\n  g()\n",
	} {
		name, ok := pysource.SingleFunction(source)
		assert.True(t, ok, "%q", source)
		assert.Equal(t, "f", name, "%q", source)
	}
	for _, source := range []string{
		"", "# def f(channel): pass", "channel.send(1)", "'''\ndef f(channel): pass\n'''",
		"import os\ndef f(channel): pass", "def f(channel): pass\nf(channel)", "def f(channel): pass\ndef g(channel): pass",
		"if 1:\n    def f(channel): pass", "async def f(channel): pass", "class f: pass", "deff(channel)", "@d", "x = '\\", "'''\\",
	} {
		name, ok := pysource.SingleFunction(source)
		assert.False(t, ok, "%q", source)
		assert.Empty(t, name, "%q", source)
	}
}

func FuzzSingleFunction(f *testing.F) {
	f.Add("def f(channel):\n  '''\\'''\n")
	f.Add("@d(\\")
	f.Fuzz(func(t *testing.T, source string) {
		if name, ok := pysource.SingleFunction(source); ok {
			assert.Contains(t, source, name)
		} else {
			assert.Empty(t, name)
		}
	})
}
