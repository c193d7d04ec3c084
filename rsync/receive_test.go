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
		s.tree(rootBlock(), blockOf(0, blockLast,
			member{kindFile, "a", 0o100640, 1234567890123456000, 3, ""}, aDir("sub"), aLink("l", "no/where"),
			member{kind: kindLinkBase, name: "b", target: "sub/x"}, member{kind: kindOther, name: "socket"}))
		s.tree(blockOf(2, blockLast, member{kindFile, "\xff", 0o100400, 5e9, 1, ""}))
		assert.Equal(t, "1 1 0;", s.wants())
		assert.Equal(t, "6 1 0;", s.wants())
		s.send(contents(record{6, opWhole, "x"}, record{1, opData, "o"}, record{1, opData, "ne"}, record{1, opEnd, ""}))
		assert.Equal(t, [statistics]uint64{statWritten: 2, statDirs: 2, statLinks: 2, statReceived: 4}, s.finish())

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
			s.tree(rootBlock(), blockOf(0, blockLast, aFile("a", 1<<21)))
			assert.Equal(t, "1 1 0;", s.wants())
			half := strings.Repeat("x", 1<<20)
			s.send(contents(record{1, opData, half}))
			s.send(contents(record{1, opData, half}, record{1, opEnd, ""}))
			assert.Equal(t, [statistics]uint64{statWritten: 1, statReceived: 1 << 21}, s.finish())
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
		big := strings.Repeat("0123456789abcdef", deltaFrom/16)
		grow(t, destination, nodes{
			"same": {0o644, "s", at}, "mode": {0o600, "m", at}, "time": {0o644, "t", time.Unix(6, 0)},
			"size": {0o644, "zz", at}, "big": {0o644, big, time.Unix(6, 0)}, "sub": dirNode(0o500)})
		announce := []member{aDir("sub")}
		for _, name := range []string{"same", "mode", "time", "size", "big"} {
			m := aFile(name, 1)
			m.mtime = 5e9
			if name == "big" {
				m.size = deltaFrom
			}
			announce = append(announce, m)
		}
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, blockLast, announce...), blockOf(1, blockLast))
		assert.Equal(t, fmt.Sprintf("4 3 1;5 2 2;6 3 %d;", deltaFrom), s.wants())
		f := s.expect(itemDigests)
		assert.Equal(t, uint32(4), f.u32())
		assert.Equal(t, digestOf("t"), string(f.take(32)))
		assert.Equal(t, uint32(6), f.u32())
		assert.Equal(t, digestOf(big), string(f.take(32)))
		require.NoError(t, f.end("digests"))
		s.send(contents(record{4, opSame, ""}, record{5, opGone, "it vanished"}, record{6, opSame, ""}))
		assert.Equal(t, [statistics]uint64{statTouched: 3}, s.finish())
		for _, name := range []string{"same", "mode", "time", "big"} {
			info, err := os.Stat(filepath.Join(destination, name))
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o644), info.Mode(), name)
			assert.Equal(t, at.UnixNano(), info.ModTime().UnixNano(), name)
		}
		assert.Equal(t, 0o755|fs.ModeDir, modeOf(t, filepath.Join(destination, "sub")))

		s = play(t, gw)
		s.hello(destination, helloDelta)
		touched := aFile("big", deltaFrom)
		s.tree(rootBlock(), blockOf(0, blockLast, touched))
		assert.Equal(t, fmt.Sprintf("1 2 %d;", deltaFrom), s.wants())
		s.send(contents(record{1, opGone, ""}))
		s.finish()
	})
}

// signatures receives those of a file of which blocks are expected.
func (s *script) signatures(entry uint32, blocks int) []signature {
	s.t.Helper()
	var all []signature
	for len(all) < blocks {
		f := s.expect(itemSignatures)
		assert.Equal(s.t, entry, f.u32())
		assert.Equal(s.t, uint32(len(all)), f.u32())
		if len(f.rest) == 0 {
			return all
		}
		for len(f.rest) > 0 {
			all = append(all, readSignature(f))
		}
		require.False(s.t, f.bad)
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
		s.hello(destination, helloDelta)
		s.tree(rootBlock(), blockOf(0, blockLast, aFile("f", 100000), aFile("g", 5)))
		assert.Equal(t, "1 2 20484;2 2 20484;", s.wants())
		for entry := range uint32(2) {
			s.send(binary.BigEndian.AppendUint32([]byte{itemSign}, entry+1))
			got := s.signatures(entry+1, 11)
			require.Len(t, got, 11)
			assert.Equal(t, signBlock([]byte(old[:2048])), got[0])
			assert.Equal(t, signBlock([]byte("tail")), got[10])
		}
		now := "new" + old[2048*3:2048*5] + "middle" + old[2048*9:]
		s.send(contents(record{1, opData, "new"}, record{1, opCopy, pairs(3, 2)}))
		s.send(contents(record{1, opData, "middle"}, record{1, opCopy, pairs(9, 1, 10, 1)}, record{1, opEnd, digestOf(now)},
			record{2, opCopy, pairs(0, 1)}, record{2, opEnd, digestOf("wrong")}))
		f := s.expect(itemAgain)
		assert.Equal(t, uint32(2), f.u32())
		s.send([]byte{itemFinish})
		s.send(contents(record{2, opWhole, "right"}))
		assert.Equal(t, [statistics]uint64{statWritten: 2, statReceived: 14, statCopied: 4*2048 + 4}, s.end())
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
			flags := byte(blockLast)
			if incomplete {
				flags |= blockIncomplete
			}
			for _, dry := range []uint32{helloDryRun, 0} {
				before := survey(t, destination, exactly)
				s := play(t, gw)
				s.hello(destination, helloDelete|dry)
				s.tree(rootBlock(), blockOf(0, flags, member{kind: kindOther, name: "socket"}, aFile("kept", 0), aDir("sub")), blockOf(3, blockLast))
				assert.Equal(t, "2 3 0;", s.wants())
				deleted := map[string]bool{}
				for _, path := range strings.Split(string(s.expect(itemDeleted).rest), "\x00") {
					deleted[path] = true
				}
				want := map[string]bool{"extra": true, "ln": true, "sub/old": true}
				if incomplete {
					want = map[string]bool{"sub/old": true}
				}
				assert.Equal(t, want, deleted)
				s.expect(itemDigests)
				if dry == 0 {
					s.send(contents(record{2, opSame, ""}))
				}
				stats := s.finish()
				assert.Equal(t, uint64(len(want)), stats[statDeleted])
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
		s.hello(destination, helloDelete)
		s.tree(rootBlock(), blockOf(0, blockLast, aDir("dir"), aDir("dir2"), aFile("file", 1), aFile("file2", 1), aLink("link", "x"), aLink("link2", "y")),
			blockOf(1, blockLast, aFile("in", 2)), blockOf(2, blockLast))
		assert.Equal(t, "3 1 0;4 1 0;7 1 0;", s.wants())
		assert.Equal(t, "dir\x00dir2\x00file2", string(s.expect(itemDeleted).rest), "what is replaced by something of another kind is told")
		s.send(contents(record{3, opWhole, "3"}, record{4, opData, "4"}, record{4, opChanged, ""}, record{7, opWhole, "in"}))
		s.send([]byte{itemFinish})
		assert.Equal(t, "link", string(s.expect(itemDeleted).rest))
		assert.Equal(t, [statistics]uint64{statWritten: 3, statDirs: 2, statLinks: 2, statDeleted: 4, statReceived: 4}, s.end())
		assert.Equal(t, "\".\" drwxr-xr-x\n\"precious\" -rw-r--r-- 1500000000.123456789 \"p\" 1\n", survey(t, outside, exactly))
		assert.Equal(t, []string{"dir", "dir2", "file", "file2", "link", "link2"}, namesIn(t, destination))
		assert.Equal(t, []string{"in"}, namesIn(t, filepath.Join(destination, "dir")))
	})
}

func TestReceiveDryRunIntoNothing(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		base := t.TempDir()
		s := play(t, gw)
		s.hello(filepath.Join(base, "not/there"), helloDryRun|helloDelete|helloDelta)
		s.tree(rootBlock(), blockOf(0, blockLast, aDir("d"), aFile("f", 1), aLink("l", "x")), blockOf(1, blockLast, aFile("g", 1), aDir("e")), blockOf(5, blockLast))
		assert.Equal(t, "2 1 0;4 1 0;", s.wants())
		assert.Equal(t, [statistics]uint64{statDirs: 3, statLinks: 1}, s.finish())
		assert.Empty(t, namesIn(t, base))
	})
}

func TestReceiveOneFile(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		base := t.TempDir()
		for i, want := range []string{"0 1 0;", "0 2 5;"} {
			s := play(t, gw)
			s.hello(filepath.Join(base, "d/file"), 0)
			s.tree(blockOf(noEntry, 0, member{kindFile, "", 0o100600, 9, uint64(9 + i), ""}))
			assert.Equal(t, want, s.wants())
			s.send(contents(record{0, opWhole, "alone"}))
			assert.Equal(t, [statistics]uint64{statWritten: 1, statReceived: 5}, s.finish())
		}
		assert.Equal(t, fs.FileMode(0o600), modeOf(t, filepath.Join(base, "d/file")))
		s := play(t, gw)
		s.hello(base, 0)
		s.tree(blockOf(noEntry, 0, member{kindFile, "", 0o100600, 9, 5, ""}))
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
		s.tree(rootBlock(), blockOf(0, blockLast, long, aFile("file", 1)), blockOf(1, blockLast, aFile("x", 1), aDir("y"), aLink("z", "x")), blockOf(4, blockLast))
		p := s.problem()
		assert.Equal(t, problem{severityEntry, 1, long.name, p.text}, p)
		assert.Contains(t, p.text, "ENAMETOOLONG: ")
		assert.Equal(t, "2 2 0;", s.wants())
		s.send(contents(record{2, opWhole, "f"}))
		assert.Equal(t, [statistics]uint64{statWritten: 1, statFailed: 1, statReceived: 1}, s.finish())
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
			s.tree(rootBlock(), blockOf(0, blockLast, locked), blockOf(1, blockLast, aFile("f", uint64(1+i)), member{kind: kindDir, name: "none", mode: 0o40000}), blockOf(3, blockLast))
			s.wants()
			s.send(contents(record{2, opWhole, "xx"[:1+i]}))
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
		for _, flags := range []uint32{0, helloDelete, helloDryRun} {
			s := play(t, gw)
			s.hello(destination, flags)
			s.tree(rootBlock(), blockOf(0, blockLast))
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
		s.hello(destination, helloDelta)
		s.tree(rootBlock(), blockOf(0, blockLast, aFile("same", 70_000), aFile("other", 70_000)))
		assert.Equal(t, "1 2 70000;2 2 70000;", s.wants())
		for entry := range uint32(2) {
			s.send(binary.BigEndian.AppendUint32([]byte{itemSign}, entry+1))
			require.Len(t, s.signatures(entry+1, 35), 35)
		}
		s.send(contents(record{1, opSame, digestOf(text)}, record{2, opSame, digestOf("what it only seems to be")}))
		assert.Equal(t, uint32(2), s.expect(itemAgain).u32())
		s.send([]byte{itemFinish})
		s.send(contents(record{2, opWhole, "what it is"}))
		assert.Equal(t, [statistics]uint64{statWritten: 1, statTouched: 1, statReceived: 10}, s.end())
		content, err := os.ReadFile(filepath.Join(destination, "other"))
		require.NoError(t, err)
		assert.Equal(t, "what it is", string(content))
	})
}
