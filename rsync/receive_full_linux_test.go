package rsync

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// smallDisk is a file system of one megabyte.
func smallDisk(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	err := syscall.Mount("none", path, "tmpfs", 0, "size=1m")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("a full disk can be tried by root only, who may mount a small one")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(path, 0)) })
	return path
}

func TestFullDisk(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		disk := smallDisk(t)
		for _, piece := range []record{{1, wire.OpWhole, strings.Repeat("x", 3<<19)}, {1, wire.OpData, strings.Repeat("x", 3<<19)}} {
			s := play(t, gw)
			s.hello(filepath.Join(disk, "d"), 0)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("big", 3<<19), aFile("small", 1)))
			s.wants()
			s.send(contents(piece))
			p := s.problem()
			assert.Equal(t, byte(wire.SeverityFatal), p.severity)
			assert.Equal(t, "big", p.path)
			assert.Regexp(t, "^ENOSPC: (?i:no space left on device)", p.text)
			require.NoError(t, s.ch.WaitClose(within.Soon(t)))
			assert.Empty(t, namesIn(t, filepath.Join(disk, "d")), "no temporary file is left")
		}
	})
}

func TestFullDiskForReferenceDriver(t *testing.T) {
	disk := smallDisk(t)
	fileItem := serializer.Tuple{int64(0o100644), 1.0, int64(3 << 19)}
	err := askReference(t, disk, []any{int64(0o40755), "big"}, fileItem, make([]byte, 3<<19))
	assert.EqualError(t, err, "execnet: rsync: cannot write "+filepath.Join(disk, "big")+": no space left on device")
	assert.Empty(t, namesIn(t, disk))
}

// limitFileSize has the worker fail to write files of more than 1000 bytes.
const limitFileSize = `
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
channel.send(1)
`

func TestOneFileFails(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		if strings.HasSuffix(t.Name(), "/go") {
			// The limit would be that of the test process. TestDirectoryReplacedByLinkWhileInUse
			// has a file fail instead.
			return
		}
		ch, err := gw.RemoteExec(t.Context(), limitFileSize)
		require.NoError(t, err)
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		require.NoError(t, ch.WaitClose(within.Soon(t)))
		destination := t.TempDir()
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("big", 2000), aFile("pieces", 2000), aFile("small", 1)))
		s.wants()
		long := strings.Repeat("x", 1500)
		s.send(contents(record{1, wire.OpWhole, long}, record{2, wire.OpData, long}, record{2, wire.OpData, long}, record{2, wire.OpEnd, ""}, record{3, wire.OpWhole, "s"}))
		for _, path := range []string{"big", "pieces"} {
			p := s.problem()
			assert.Equal(t, byte(wire.SeverityEntry), p.severity)
			assert.Equal(t, path, p.path)
			assert.Regexp(t, "^EFBIG: ", p.text)
		}
		stats := s.finish()
		assert.Equal(t, uint64(1), stats[wire.StatWritten])
		assert.Equal(t, uint64(2), stats[wire.StatFailed])
		assert.Equal(t, []string{"small"}, namesIn(t, destination))
	})
}
