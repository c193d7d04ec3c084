//go:build unix

package rsync

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// What a receiver does about other syncs in the same directories. Package syncsoak has real ones.

// TestReceiveLeavesWhatOtherSyncsWrite has a temporary file of another sync, which is locked, and
// one that was left. Neither is removed where it is in use, also with all that is around it.
func TestReceiveLeavesWhatOtherSyncsWrite(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		live, left, deep := ".f.execnet-ABCDEFGH", ".f.execnet-ABCDEFGI", "old/dir/.g.execnet-ABCDEFGH"
		grow(t, destination, nodes{live: file("half"), left: file("half"), "old/dir/gone": file(""), deep: file("half"), "old/dir/.g.execnet-ABCDEFGI": file("")})
		var held []*os.File
		for _, name := range []string{live, deep} {
			f, err := os.OpenFile(filepath.Join(destination, name), os.O_RDWR, 0)
			require.NoError(t, err)
			defer f.Close()
			require.NoError(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
			held = append(held, f)
		}
		s := play(t, gw)
		s.hello(destination, wire.HelloDelete)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast))
		p := s.problem()
		assert.Equal(t, problem{wire.SeverityWarning, wire.NoEntry, "old", p.text}, p)
		assert.Contains(t, p.text, "ENOTEMPTY: ")
		assert.Empty(t, s.wants())
		assert.Equal(t, [wire.Statistics]uint64{}, s.finish())
		assert.Equal(t, []string{live, "old"}, namesIn(t, destination))
		assert.Equal(t, []string{".g.execnet-ABCDEFGH"}, namesIn(t, filepath.Join(destination, "old/dir")))

		for _, f := range held {
			require.NoError(t, f.Close())
		}
		s = play(t, gw)
		s.hello(destination, wire.HelloDelete)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast))
		s.wants()
		assert.Equal(t, "old", string(s.expect(wire.ItemDeleted).Rest))
		s.finish()
		assert.Empty(t, namesIn(t, destination))
	})
}

// withoutLocks makes the Python half find that files cannot be locked.
const withoutLocks = "\nlock = lambda *args: None\n"

// TestReceiveWithoutLocks has temporary files that nobody has locked since nobody can, and takes
// them for left after an hour.
func TestReceiveWithoutLocks(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			gw := connect(t, p.Spec())[0]
			for age, want := range map[int][]string{7200: {"f"}, 0: {".f.execnet-ABCDEFGH", "f"}} {
				destination := t.TempDir()
				grow(t, destination, nodes{".f.execnet-ABCDEFGH": fileAt("half", 5e9)})
				// The time at which an entry was changed cannot be set, so that the clock is.
				clock := fmt.Sprintf("\nclass Later(object):\n    sleep = time.sleep\n    time = staticmethod(lambda now=time.time: now() + %d)\ntime = Later\n", age)
				s := playSource(t, gw, remoteSource()+withoutLocks+clock)
				s.hello(destination, wire.HelloDelete)
				s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 1)))
				assert.Equal(t, "1 1 0;", s.wants())
				s.send(contents(record{1, wire.OpWhole, "x"}))
				s.finish()
				assert.Equal(t, want, namesIn(t, destination))
			}
		})
	}
}

// TestReceiveLocksWhatItWrites looks at a file that comes in pieces as another sync would.
func TestReceiveLocksWhatItWrites(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 10)))
		s.wants()
		s.send(contents(record{1, wire.OpData, strings.Repeat("x", 10)}))
		var names []string
		require.Eventually(t, func() bool { names = namesIn(t, destination); return len(names) == 1 }, 10*time.Second, time.Millisecond)
		f, err := os.Open(filepath.Join(destination, names[0]))
		require.NoError(t, err)
		defer f.Close()
		require.Eventually(t, func() bool {
			err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
			if err == nil { // it was between its creation and its lock
				require.NoError(t, unix.Flock(int(f.Fd()), unix.LOCK_UN))
			}
			return err == unix.EWOULDBLOCK
		}, 10*time.Second, time.Millisecond)
		s.send(contents(record{1, wire.OpEnd, ""}))
		s.finish()
		require.NoError(t, unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB))
		assert.Equal(t, []string{"f"}, namesIn(t, destination))
	})
}

// TestReceiveIntoWhatWasRemoved removes directories, and puts a file in the place of one, after
// they were announced: they are made again, with a warning.
func TestReceiveIntoWhatWasRemoved(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aDir("a"), aDir("z")), blockOf(1, wire.BlockLast, aDir("b"), aLink("l", "x")),
			blockOf(2, wire.BlockLast, aFile("h", 1)), blockOf(3, wire.BlockLast, aFile("f", 1), aFile("g", 2)))
		assert.Equal(t, "5 1 0;6 1 0;7 1 0;", s.wants())
		require.NoError(t, os.RemoveAll(filepath.Join(destination, "a")))
		require.NoError(t, os.RemoveAll(filepath.Join(destination, "z")))
		require.NoError(t, os.WriteFile(filepath.Join(destination, "a"), []byte("in the way"), 0o600))
		s.send(contents(record{7, wire.OpData, "g"}, record{7, wire.OpData, "g"}, record{7, wire.OpEnd, ""}, record{6, wire.OpWhole, "f"}))
		s.send(contents(record{5, wire.OpWhole, "h"}))
		for _, path := range []string{"a", "a/b", "z"} {
			p := s.problem()
			assert.Equal(t, problem{wire.SeverityWarning, wire.NoEntry, path, p.text}, p)
			assert.Contains(t, p.text, "made again")
		}
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 3, wire.StatDirs: 3, wire.StatLinks: 1, wire.StatReceived: 4}, s.finish())
		for dir, names := range map[string][]string{"a": {"b", "l"}, "a/b": {"f", "g"}, "z": {"h"}} {
			assert.Equal(t, names, namesIn(t, filepath.Join(destination, dir)))
		}
	})
}

// TestReceiveSameOfAnotherFile has a file called the same that another sync has replaced or removed
// since it was compared.
func TestReceiveSameOfAnotherFile(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		grow(t, destination, nodes{"gone": file("one"), "other": file("one"), "dir": file("one")})
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("gone", 3), aFile("other", 3), aFile("dir", 3)))
		assert.Equal(t, "1 3 3;2 3 3;3 3 3;", s.wants())
		s.expect(wire.ItemDigests)
		require.NoError(t, os.Remove(filepath.Join(destination, "gone")))
		require.NoError(t, os.WriteFile(filepath.Join(destination, "new"), []byte("two"), 0o600))
		require.NoError(t, os.Rename(filepath.Join(destination, "new"), filepath.Join(destination, "other")))
		require.NoError(t, os.Remove(filepath.Join(destination, "dir")))
		require.NoError(t, os.Mkdir(filepath.Join(destination, "dir"), 0o700))
		s.send(contents(record{1, wire.OpSame, ""}, record{2, wire.OpSame, ""}, record{3, wire.OpSame, ""}))
		for entry := range uint32(3) {
			assert.Equal(t, entry+1, s.expect(wire.ItemAgain).U32())
		}
		s.send([]byte{wire.ItemFinish})
		s.send(contents(record{1, wire.OpWhole, "one"}, record{2, wire.OpWhole, "one"}, record{3, wire.OpWhole, "one"}))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 3, wire.StatReceived: 9}, s.end())
		for _, name := range []string{"gone", "other", "dir"} {
			content, err := os.ReadFile(filepath.Join(destination, name))
			require.NoError(t, err)
			assert.Equal(t, "one", string(content))
		}
	})
}

// TestReceiveDirectoryForFile puts a directory in the place of a file of which blocks are to be
// used: before its signatures are asked for, and after that.
func TestReceiveDirectoryForFile(t *testing.T) {
	content := strings.Repeat("x", 4000)
	for name, receive := range map[string]func(s *script, replace func()) (want string){
		"before its signatures": func(s *script, replace func()) string {
			replace()
			s.send(wire.EntryItem(wire.ItemSign, 1))
			assert.Empty(s.t, s.signatures(1, 2))
			s.send(contents(record{1, wire.OpData, "new"}, record{1, wire.OpEnd, digestOf("new")}))
			return "new"
		},
		"after its signatures": func(s *script, replace func()) string {
			s.send(wire.EntryItem(wire.ItemSign, 1))
			require.Len(s.t, s.signatures(1, 2), 2)
			replace()
			s.send(contents(record{1, wire.OpCopy, pairs(0, 2)}, record{1, wire.OpEnd, digestOf(content)}))
			assert.Equal(s.t, uint32(1), s.expect(wire.ItemAgain).U32())
			s.send(contents(record{1, wire.OpWhole, "whole"}))
			return "whole"
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
				destination := t.TempDir()
				f := filepath.Join(destination, "f")
				grow(t, destination, nodes{"f": file(content)})
				s := play(t, gw)
				s.hello(destination, 0)
				s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 10)))
				assert.Equal(t, "1 2 4000;", s.wants())
				want := receive(s, func() {
					require.NoError(t, os.Remove(f))
					require.NoError(t, os.Mkdir(f, 0o700))
				})
				s.finish()
				is, err := os.ReadFile(f)
				require.NoError(t, err)
				assert.Equal(t, want, string(is))
			})
		})
	}
}
