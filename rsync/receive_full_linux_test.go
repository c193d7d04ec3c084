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
func smallDisk(t *testing.T) string { return disk(t, "size=1m") }

// disk is a file system in memory.
func disk(t *testing.T, options string) string {
	t.Helper()
	path := t.TempDir()
	err := syscall.Mount("none", path, "tmpfs", 0, options)
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

// TestNoMoreEntries has a file system that is full of directories, files or links.
func TestNoMoreEntries(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		for _, m := range []member{aDir("no"), aFile("no", 1), aLink("no", "x")} {
			at := disk(t, "nr_inodes=3") // its root, d, and what is there
			grow(t, filepath.Join(at, "d"), nodes{"there": file("")})
			s := play(t, gw)
			s.hello(filepath.Join(at, "d"), 0)
			s.tree(rootBlock(), blockOf(0, 0, m))
			if m.kind != wire.KindDir {
				s.wants()
				s.tree(blockOf(0, wire.BlockLast))
				s.wants()
				if m.kind == wire.KindFile {
					s.send(contents(record{1, wire.OpWhole, "x"}))
				} else {
					s.send([]byte{wire.ItemFinish})
				}
			}
			p := s.problem()
			assert.Equal(t, problem{wire.SeverityFatal, wire.NoEntry, "no", p.text}, p)
			assert.Regexp(t, "^ENOSPC: ", p.text)
			require.NoError(t, s.ch.WaitClose(within.Soon(t)))
			assert.Equal(t, []string{"there"}, namesIn(t, filepath.Join(at, "d")))
		}
	})
}

// TestReadOnlyDisk has a file system to which nothing can be written: each entry fails by name, and
// what is there needs nothing.
func TestReadOnlyDisk(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		at := disk(t, "")
		grow(t, filepath.Join(at, "d"), nodes{"there": fileAt("x", 5000), "old": file("")})
		require.NoError(t, syscall.Mount("none", at, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
		t.Cleanup(func() { assert.NoError(t, syscall.Mount("none", at, "", syscall.MS_REMOUNT, "")) })
		s := play(t, gw)
		s.hello(filepath.Join(at, "d"), wire.HelloDelete)
		there := aFile("there", 1)
		there.mtime = 5000
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aDir("dir"), aFile("f", 1), aFile("pieces", 1), aLink("l", "x"), there), blockOf(1, wire.BlockLast, aFile("in", 1)))
		failing := []string{"dir", "old", "f", "pieces", "l"}
		for _, path := range failing[:2] {
			p := s.problem()
			assert.Equal(t, problem{wire.SeverityEntry, p.entry, path, p.text}, p)
			assert.Regexp(t, "^EROFS: ", p.text)
		}
		assert.Equal(t, "2 1 0;3 1 0;", s.wants())
		s.send(contents(record{2, wire.OpWhole, "x"}, record{3, wire.OpData, "x"}, record{3, wire.OpEnd, ""}))
		s.send([]byte{wire.ItemFinish})
		for _, path := range failing[2:] {
			p := s.problem()
			assert.Equal(t, problem{wire.SeverityEntry, p.entry, path, p.text}, p)
			assert.Regexp(t, "^EROFS: ", p.text)
		}
		p := s.problem()
		assert.Equal(t, problem{wire.SeverityWarning, 0, "", p.text}, p, "the time of the destination itself")
		assert.Equal(t, uint64(len(failing)), s.end()[wire.StatFailed])
		assert.Equal(t, []string{"old", "there"}, namesIn(t, filepath.Join(at, "d")))
	})
}

// TestLongNames has names that are too long for an entry of each kind.
func TestLongNames(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		s := play(t, gw)
		s.hello(destination, 0)
		long := strings.Repeat("n", 256)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile(long, 1), aDir(long+"d"), aLink(long+"l", "x"), aLink("l", strings.Repeat("t", 5000)), aFile("f", 1)), blockOf(2, wire.BlockLast, aFile("in", 1)))
		for _, path := range []string{long, long + "d"} {
			p := s.problem()
			assert.Equal(t, problem{wire.SeverityEntry, p.entry, path, p.text}, p)
			assert.Regexp(t, "^ENAMETOOLONG: ", p.text)
		}
		assert.Equal(t, "5 1 0;", s.wants())
		s.send(contents(record{5, wire.OpWhole, "x"}))
		s.send([]byte{wire.ItemFinish})
		for _, path := range []string{long + "l", "l"} {
			p := s.problem()
			assert.Equal(t, problem{wire.SeverityEntry, p.entry, path, p.text}, p)
			assert.Regexp(t, "^ENAMETOOLONG: ", p.text)
		}
		assert.Equal(t, uint64(4), s.end()[wire.StatFailed])
		assert.Equal(t, []string{"f"}, namesIn(t, destination))
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
