//go:build unix

package rsync

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

func TestReceiveTree(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := filepath.Join(t.TempDir(), "new/deep")
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast,
			member{wire.KindFile, "a", 0o100640, 1234567890123456000, 3, ""}, aDir("sub"), aLink("l", "no/where"),
			member{kind: wire.KindLinkBase, name: "b", target: "sub/x"}, member{kind: wire.KindOther, name: "socket"}))
		s.tree(blockOf(2, wire.BlockLast, member{wire.KindFile, "\xff", 0o100400, 5e9, 1, ""}))
		assert.Equal(t, "1 1 0;", s.wants())
		assert.Equal(t, "6 1 0;", s.wants())
		s.send(contents(record{6, wire.OpWhole, "x"}, record{1, wire.OpData, "o"}, record{1, wire.OpData, "ne"}, record{1, wire.OpEnd, ""}))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 2, wire.StatDirs: 2, wire.StatLinks: 2, wire.StatReceived: 4}, s.finish())

		want := fmt.Sprintf(`"." drwxr-xr-x
"a" -rw-r----- 1234567890.123456000 "one" 3
"b" -> %q
"l" -> "no/where"
"sub" drwxr-xr-x
"sub/\xff" -r-------- 5.000000000 "x" 1
`, filepath.Join(destination, "sub/x"))
		assert.Equal(t, want, survey(t, destination, exactly))
		info, err := os.Stat(destination)
		require.NoError(t, err)
		assert.Equal(t, int64(7), info.ModTime().UnixNano()&^1023|7, "the directory's time is set at the end")
	})
}

func TestReceiveInGreenWorkers(t *testing.T) {
	python := "popen//python=" + pythons.WithExecnet(t)
	for _, spec := range []string{"//execmodel=gevent", "//execmodel=eventlet", "//execmodel=main_thread_only"} {
		t.Run(spec, func(t *testing.T) {
			group := multi.NewGroup()
			t.Cleanup(func() { assert.NoError(t, group.Terminate(within.Time(t, 10*time.Second))) })
			gw, err := group.MakeGateway(within.Soon(t), python+spec)
			require.NoError(t, err)
			destination := t.TempDir()
			s := play(t, gw)
			s.hello(destination, 0)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("a", 1<<21)))
			assert.Equal(t, "1 1 0;", s.wants())
			half := strings.Repeat("x", 1<<20)
			s.send(contents(record{1, wire.OpData, half}))
			s.send(contents(record{1, wire.OpData, half}, record{1, wire.OpEnd, ""}))
			assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 1, wire.StatReceived: 1 << 21}, s.finish())
			content, err := os.ReadFile(filepath.Join(destination, "a"))
			require.NoError(t, err)
			assert.True(t, string(content) == half+half)
		})
	}
}

func TestReceiveOnlyWhatDiffers(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		at := time.Unix(5, 0)
		big := strings.Repeat("0123456789abcdef", wire.DeltaFrom/16)
		grow(t, destination, nodes{
			"same": {0o644, "s", at}, "mode": {0o600, "m", at}, "time": {0o644, "t", time.Unix(6, 0)},
			"size": {0o644, "zz", at}, "big": {0o644, big, time.Unix(6, 0)}, "sub": dirNode(0o500)})
		announce := []member{aDir("sub")}
		for _, name := range []string{"same", "mode", "time", "size", "big"} {
			m := aFile(name, 1)
			m.mtime = 5e9
			if name == "big" {
				m.size = wire.DeltaFrom
			}
			announce = append(announce, m)
		}
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, announce...), blockOf(1, wire.BlockLast))
		assert.Equal(t, fmt.Sprintf("4 3 1;5 2 2;6 3 %d;", wire.DeltaFrom), s.wants())
		f := s.expect(wire.ItemDigests)
		assert.Equal(t, uint32(4), f.U32())
		assert.Equal(t, digestOf("t"), string(f.Bytes(32)))
		assert.Equal(t, uint32(6), f.U32())
		assert.Equal(t, digestOf(big), string(f.Bytes(32)))
		require.NoError(t, f.End("digests"))
		s.send(contents(record{4, wire.OpSame, ""}, record{5, wire.OpGone, "it vanished"}, record{6, wire.OpSame, ""}))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatTouched: 3}, s.finish())
		for _, name := range []string{"same", "mode", "time", "big"} {
			info, err := os.Stat(filepath.Join(destination, name))
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o644), info.Mode(), name)
			assert.Equal(t, at.UnixNano(), info.ModTime().UnixNano(), name)
		}
		assert.Equal(t, 0o755|fs.ModeDir, modeOf(t, filepath.Join(destination, "sub")))

		s = play(t, gw)
		s.hello(destination, wire.HelloDelta)
		touched := aFile("big", wire.DeltaFrom)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, touched))
		assert.Equal(t, fmt.Sprintf("1 2 %d;", wire.DeltaFrom), s.wants())
		s.send(contents(record{1, wire.OpGone, ""}))
		s.finish()
	})
}

// signatures receives those of a file of which blocks are expected.
func (s *script) signatures(entry uint32, blocks int) []wire.Signature {
	s.t.Helper()
	var all []wire.Signature
	for len(all) < blocks {
		f := s.expect(wire.ItemSignatures)
		assert.Equal(s.t, entry, f.U32())
		assert.Equal(s.t, uint32(len(all)), f.U32())
		if len(f.Rest) == 0 {
			return all
		}
		for len(f.Rest) > 0 {
			all = append(all, f.Signature())
		}
		require.False(s.t, f.Bad)
	}
	return all
}

func pairs(numbers ...uint32) string {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return string(b)
}

func TestReceiveDelta(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		old := strings.Repeat("abcdefgh", 2048*10/8) + "tail"
		grow(t, destination, nodes{"f": file(old), "g": file(old)})
		s := play(t, gw)
		s.hello(destination, wire.HelloDelta)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 100000), aFile("g", 5)))
		assert.Equal(t, "1 2 20484;2 2 20484;", s.wants())
		for entry := range uint32(2) {
			s.send(binary.BigEndian.AppendUint32([]byte{wire.ItemSign}, entry+1))
			got := s.signatures(entry+1, 11)
			require.Len(t, got, 11)
			assert.Equal(t, wire.Sign([]byte(old[:2048])), got[0])
			assert.Equal(t, wire.Sign([]byte("tail")), got[10])
		}
		now := "new" + old[2048*3:2048*5] + "middle" + old[2048*9:]
		s.send(contents(record{1, wire.OpData, "new"}, record{1, wire.OpCopy, pairs(3, 2)}))
		s.send(contents(record{1, wire.OpData, "middle"}, record{1, wire.OpCopy, pairs(9, 1, 10, 1)}, record{1, wire.OpEnd, digestOf(now)},
			record{2, wire.OpCopy, pairs(0, 1)}, record{2, wire.OpEnd, digestOf("wrong")}))
		f := s.expect(wire.ItemAgain)
		assert.Equal(t, uint32(2), f.U32())
		s.send([]byte{wire.ItemFinish})
		s.send(contents(record{2, wire.OpWhole, "right"}))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 2, wire.StatReceived: 14, wire.StatCopied: 4*2048 + 4}, s.end())
		for name, text := range map[string]string{"f": now, "g": "right"} {
			content, err := os.ReadFile(filepath.Join(destination, name))
			require.NoError(t, err)
			assert.Equal(t, text, string(content))
		}
		assert.Equal(t, []string{"f", "g"}, namesIn(t, destination))
	})
}

func TestReceiveDeletes(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		for _, incomplete := range []bool{false, true} {
			destination := t.TempDir()
			grow(t, destination, nodes{"kept": file(""), "extra/deep/f": file(""), "extra/deep": dirNode(0o500), "ln": link("/etc"),
				"sub/old": file(""), "sub/.f.execnet-ABCDEFGH": file("half"), "socket": file("")})
			flags := byte(wire.BlockLast)
			if incomplete {
				flags |= wire.BlockIncomplete
			}
			for _, dry := range []uint32{wire.HelloDryRun, 0} {
				before := survey(t, destination, exactly)
				s := play(t, gw)
				s.hello(destination, wire.HelloDelete|dry)
				s.tree(rootBlock(), blockOf(0, flags, member{kind: wire.KindOther, name: "socket"}, aFile("kept", 0), aDir("sub")), blockOf(3, wire.BlockLast))
				assert.Equal(t, "2 3 0;", s.wants())
				deleted := map[string]bool{}
				for _, path := range strings.Split(string(s.expect(wire.ItemDeleted).Rest), "\x00") {
					deleted[path] = true
				}
				want := map[string]bool{"extra": true, "ln": true, "sub/old": true}
				if incomplete {
					want = map[string]bool{"sub/old": true}
				}
				assert.Equal(t, want, deleted)
				s.expect(wire.ItemDigests)
				if dry == 0 {
					s.send(contents(record{2, wire.OpSame, ""}))
				}
				stats := s.finish()
				assert.Equal(t, uint64(len(want)), stats[wire.StatDeleted])
				if dry != 0 {
					assert.Equal(t, before, survey(t, destination, exactly), "a dry run changes nothing")
				}
			}
			want := []string{"kept", "socket", "sub"}
			if incomplete {
				want = []string{"extra", "kept", "ln", "socket", "sub"}
			}
			assert.Equal(t, want, namesIn(t, destination))
			assert.Empty(t, namesIn(t, filepath.Join(destination, "sub")), "what killed syncs left is always removed")
		}
	})
}

func TestReceiveReplacesWhatIsInTheWay(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination, outside := t.TempDir(), t.TempDir()
		grow(t, outside, nodes{"precious": file("p")})
		grow(t, destination, nodes{"dir": link(outside), "dir2": file("f"), "file": link(filepath.Join(outside, "precious")),
			"file2/deep/x": file(""), "link/deep/x": file(""), "link2": file("")})
		s := play(t, gw)
		s.hello(destination, wire.HelloDelete)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aDir("dir"), aDir("dir2"), aFile("file", 1), aFile("file2", 1), aLink("link", "x"), aLink("link2", "y")),
			blockOf(1, wire.BlockLast, aFile("in", 2)), blockOf(2, wire.BlockLast))
		assert.Equal(t, "3 1 0;4 1 0;7 1 0;", s.wants())
		assert.Equal(t, "dir\x00dir2\x00file2", string(s.expect(wire.ItemDeleted).Rest), "what is replaced by something of another kind is told")
		s.send(contents(record{3, wire.OpWhole, "3"}, record{4, wire.OpData, "4"}, record{4, wire.OpChanged, ""}, record{7, wire.OpWhole, "in"}))
		s.send([]byte{wire.ItemFinish})
		assert.Equal(t, "link", string(s.expect(wire.ItemDeleted).Rest))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 3, wire.StatDirs: 2, wire.StatLinks: 2, wire.StatDeleted: 4, wire.StatReceived: 4}, s.end())
		assert.Equal(t, "\".\" drwxr-xr-x\n\"precious\" -rw-r--r-- 1500000000.123456789 \"p\" 1\n", survey(t, outside, exactly))
		assert.Equal(t, []string{"dir", "dir2", "file", "file2", "link", "link2"}, namesIn(t, destination))
		assert.Equal(t, []string{"in"}, namesIn(t, filepath.Join(destination, "dir")))
	})
}

func TestReceiveDryRunIntoNothing(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		base := t.TempDir()
		s := play(t, gw)
		s.hello(filepath.Join(base, "not/there"), wire.HelloDryRun|wire.HelloDelete|wire.HelloDelta)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aDir("d"), aFile("f", 1), aLink("l", "x")), blockOf(1, wire.BlockLast, aFile("g", 1), aDir("e")), blockOf(5, wire.BlockLast))
		assert.Equal(t, "2 1 0;4 1 0;", s.wants())
		assert.Equal(t, [wire.Statistics]uint64{wire.StatDirs: 3, wire.StatLinks: 1}, s.finish())
		assert.Empty(t, namesIn(t, base))
	})
}

func TestReceiveOneFile(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		base := t.TempDir()
		for i, want := range []string{"0 1 0;", "0 2 5;"} {
			s := play(t, gw)
			s.hello(filepath.Join(base, "d/file"), 0)
			s.tree(blockOf(wire.NoEntry, 0, member{wire.KindFile, "", 0o100600, 9, uint64(9 + i), ""}))
			assert.Equal(t, want, s.wants())
			s.send(contents(record{0, wire.OpWhole, "alone"}))
			assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 1, wire.StatReceived: 5}, s.finish())
		}
		assert.Equal(t, fs.FileMode(0o600), modeOf(t, filepath.Join(base, "d/file")))
		s := play(t, gw)
		s.hello(base, 0)
		s.tree(blockOf(wire.NoEntry, 0, member{wire.KindFile, "", 0o100600, 9, 5, ""}))
		s.fails("directory, but the source is a file")
		assert.DirExists(t, filepath.Join(base, "d"))
	})
}

func TestReceiveWhereNothingCanBeMade(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		base := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(base, "file"), nil, 0o600))
		s := play(t, gw)
		s.send(helloItem(filepath.Join(base, "file/below/it"), 0))
		s.fails("ENOTDIR: ")

		// A directory that cannot be made is told once; what would be in it is not asked for, and
		// the rest goes on.
		s = play(t, gw)
		s.hello(base, 0)
		long := aDir(strings.Repeat("n", 256))
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, long, aFile("file", 1)), blockOf(1, wire.BlockLast, aFile("x", 1), aDir("y"), aLink("z", "x")), blockOf(4, wire.BlockLast))
		p := s.problem()
		assert.Equal(t, problem{wire.SeverityEntry, 1, long.name, p.text}, p)
		assert.Contains(t, p.text, "ENAMETOOLONG: ")
		assert.Equal(t, "2 2 0;", s.wants())
		s.send(contents(record{2, wire.OpWhole, "f"}))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 1, wire.StatFailed: 1, wire.StatReceived: 1}, s.finish())
		assert.Equal(t, []string{"file"}, namesIn(t, base))
	})
}

func TestReceiveReadOnlyDirectories(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		for i := range 2 {
			s := play(t, gw)
			s.hello(destination, 0)
			locked := aDir("locked")
			locked.mode = 0o40555
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, locked), blockOf(1, wire.BlockLast, aFile("f", uint64(1+i)), member{kind: wire.KindDir, name: "none", mode: 0o40000}), blockOf(3, wire.BlockLast))
			s.wants()
			s.send(contents(record{2, wire.OpWhole, "xx"[:1+i]}))
			s.finish()
			assert.Equal(t, 0o555|fs.ModeDir, modeOf(t, filepath.Join(destination, "locked")))
			assert.Equal(t, fs.ModeDir, modeOf(t, filepath.Join(destination, "locked/none")))
		}
		t.Cleanup(func() { raze(t, destination) })
	})
}

// TestReceiveOverAFile has a directory where the destination is a file: more likely a slip than a
// wish.
func TestReceiveOverAFile(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(destination, []byte("precious"), 0o600))
		for _, flags := range []uint32{0, wire.HelloDelete, wire.HelloDryRun} {
			s := play(t, gw)
			s.hello(destination, flags)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast))
			s.fails("the destination is a file")
		}
		content, err := os.ReadFile(destination)
		require.NoError(t, err)
		assert.Equal(t, "precious", string(content))
	})
}

// TestReceiveSameAfterSignatures has files called the same whose blocks have been compared: the
// digest has the last word.
func TestReceiveSameAfterSignatures(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		text := strings.Repeat("x", 70_000)
		grow(t, destination, nodes{"same": file(text), "other": file(text)})
		s := play(t, gw)
		s.hello(destination, wire.HelloDelta)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("same", 70_000), aFile("other", 70_000)))
		assert.Equal(t, "1 2 70000;2 2 70000;", s.wants())
		for entry := range uint32(2) {
			s.send(binary.BigEndian.AppendUint32([]byte{wire.ItemSign}, entry+1))
			require.Len(t, s.signatures(entry+1, 35), 35)
		}
		s.send(contents(record{1, wire.OpSame, digestOf(text)}, record{2, wire.OpSame, digestOf("what it only seems to be")}))
		assert.Equal(t, uint32(2), s.expect(wire.ItemAgain).U32())
		s.send([]byte{wire.ItemFinish})
		s.send(contents(record{2, wire.OpWhole, "what it is"}))
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 1, wire.StatTouched: 1, wire.StatReceived: 10}, s.end())
		content, err := os.ReadFile(filepath.Join(destination, "other"))
		require.NoError(t, err)
		assert.Equal(t, "what it is", string(content))
	})
}
