//go:build unix

package compat_tests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSiteBehind gives the CPython behind a Go worker two folders of packages, one of which names a
// third one in a .pth file. Another interpreter that is started there has none of them.
func TestSiteBehind(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	base := t.TempDir()
	for name, text := range map[string]string{
		"one/first/__init__.py": "name = 'first'", "two é/second.py": "name = 'second'", "two é/third.pth": "../three\n",
		"three/third.py": "name = 'third'", "one/json.py": "raise AssertionError('it stands before the library')",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(base, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(base, name), []byte(text), 0o600))
	}
	const source = `
import first, second, third, json, subprocess, sys
there = subprocess.call([sys.executable, "-c", "import first"], stderr=subprocess.PIPE)
channel.send("%s %s %s %s" % (first.name, second.name, third.name, there))`
	everyBehind(t, func(t *testing.T, spec string, p pythons.Interpreter) {
		one, two := filepath.Join(base, "one"), filepath.Join(base, "two é")
		for _, spec := range []string{
			"popen//python='" + self + "' worker --site '" + one + ":" + two + "'" + hasBehind(p.Path) + "//chdir=" + t.TempDir(),
			spec + "//env:EXECNET_SITE=" + one + ":" + two,
		} {
			group := new(execnet.Group)
			gw, err := group.MakeGateway(within.Soon(t), spec)
			require.NoError(t, err)
			ch, err := gw.RemoteExec(within.Soon(t), source)
			require.NoError(t, err)
			item, err := execnet.Receive[string](within.Soon(t), ch)
			require.NoError(t, err)
			assert.Equal(t, "first second third 1", item)
			require.NoError(t, group.Terminate(within.Soon(t)))
		}
	})
}
