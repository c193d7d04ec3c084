//go:build unix

package multi_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSourceFiles executes files as Python reads them: with a coding line, a byte order mark, and
// the newlines of Windows.
func TestSourceFiles(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for name, source := range map[string]string{
		"latin1.py":  "# -*- coding: latin-1 -*-\nchannel.send(u'\xe4')\n",
		"mark.py":    "\xef\xbb\xbfchannel.send(u'ä')\n",
		"windows.py": "# coding: cp1252\r\nif True:\r\n    x = u'''\xe4'''\r\n    channel.send(x)\r\n",
		"bad.py":     "\nchannel.send(u'\xe4')\n",
		"utf16.py":   "\xff\xfea\x00",
	} {
		files[name] = &fstest.MapFile{Data: []byte(source)}
	}
	for _, python := range pythons.All(t) {
		g := newGroup(t)
		gw := makeGateway(t, g, python.Spec())
		for _, name := range []string{"latin1.py", "mark.py", "windows.py"} {
			ch, err := gw.RemoteExecFS(t.Context(), files, name)
			require.NoError(t, err)
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err, "%s in %s", name, python.Path)
			assert.Equal(t, "ä", item, "%s in %s", name, python.Path)
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		}
	}
	g := newGroup(t)
	gw := makeGateway(t, g, "")
	var wrong *gatewaybase.SourceError
	_, err := gw.RemoteExecFS(t.Context(), files, "bad.py")
	require.ErrorAs(t, err, &wrong)
	assert.Contains(t, wrong.Problem, "bad.py, line 2: the byte 0xe4 is not UTF-8")
	path := filepath.Join(t.TempDir(), "utf16.py")
	require.NoError(t, os.WriteFile(path, files["utf16.py"].Data, 0o600))
	_, err = gw.RemoteExecFile(t.Context(), path)
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "execnet: "+path+": it is UTF-16")
}
