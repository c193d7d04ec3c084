package compat_tests

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestImportFS: every worker imports the driver's modules, Python execnet's as well as ours.
func TestImportFS(t *testing.T) {
	fsys := fstest.MapFS{
		"carried/__init__.py":   {Data: []byte("from .inner import deep\n")},
		"carried/inner/deep.py": {Data: []byte("import pkgutil\n\ndef read(name):\n    return bytearray(pkgutil.get_data('carried', name))\n\ndef fail():\n    return 1 // 0\n")},
		"carried/later.py":      {Data: []byte("VALUE = 'later'\n")},
		"carried/data.bin":      {Data: []byte{0, 255}},
	}
	everyWorker(t, func(t *testing.T, w worker) {
		gw := gateway(t, w.spec())
		require.NoError(t, execnet.ImportFS(within.Soon(t), gw, fsys))
		ch := remoteExec(t, gw, `
import threading
values = []
def load():
    import carried, carried.later
    values.append([carried.deep.read("data.bin"), carried.later.VALUE])
threads = [threading.Thread(target=load) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
channel.send([values.count(values[0]), bytes(values[0][0]).decode("latin-1"), values[0][1]])
try:
    import carried.nothing
except ImportError:
    channel.send("ImportError")
import json
carried = __import__("carried")
carried.deep.fail()
`)
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, []any{int64(4), "\x00\u00ff", "later"}, item)
		item, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, "ImportError", item)
		_, err = ch.Receive(within.Soon(t))
		assert.ErrorContains(t, err, "File \"<driver>/carried/inner/deep.py\", line 7, in fail\n    return 1 // 0\n")
	})
}
