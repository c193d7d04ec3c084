//go:build unix

package rsync

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/receive"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// unfitNames has a function that answers each name with Python's rule for Windows.
const unfitNames = `
def serve(channel):
    while True:
        problem = unfit_for_windows(channel.receive())
        channel.send((problem or "").encode("ascii"))
`

// TestPythonKnowsNamesOfWindows compares both halves' rules.
func TestPythonKnowsNamesOfWindows(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			s := playSource(t, connect(t, p.Spec())[0], remoteSource()+unfitNames)
			for _, name := range []string{"a:b", `a\b`, "a*", "what?", `"`, "<", ">", "a|b", "a\nb", "\x1f", "dot.", "space ", "...",
				"aux", "AUX", "Con.txt", "nul .tar.gz", "com1", "LPT9.x", "com¹", "lpt³", "conin$", "CONOUT$", "prn", "\xff", "\xc3",
				"a", "auxiliary", "a.aux", "com", "com0", "com10", "COM1x", "lpt", ".hidden", "two words", "é", "日本", "-rf", " space",
				"con-fig", "\U0001f600", "a\xed\xa0\x80b", "con$"} {
				s.send([]byte(name))
				problem, err := s.ch.Receive(within.Soon(t))
				require.NoError(t, err)
				assert.Equal(t, paths.UnfitForWindows(name), string(problem.([]byte)), "%q", name)
			}
			require.NoError(t, s.ch.Close())
		})
	}
}

// everyNaming runs a test against receivers that take this system for another one: Go's, and
// Python's with something appended to it.
func everyNaming(t *testing.T, naming receive.Naming, appended string, test func(t *testing.T, begin func(t *testing.T) *script)) {
	t.Run("go", func(t *testing.T) {
		ours, theirs := pipes.Pair(t)
		gw := connected(t, "", &receivers{naming: &naming}, ours, theirs)
		test(t, func(t *testing.T) *script { return play(t, gw) })
	})
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			gw := connect(t, p.Spec())[0]
			test(t, func(t *testing.T) *script { return playSource(t, gw, remoteSource()+appended) })
		})
	}
}

func TestNamesThatCannotBeHere(t *testing.T) {
	naming := receive.Naming{Unfit: paths.UnfitForWindows}
	everyNaming(t, naming, "\nunfit = unfit_for_windows\n", func(t *testing.T, begin func(t *testing.T) *script) {
		for _, flags := range []uint32{wire.HelloDryRun, wire.HelloDelete} {
			destination := t.TempDir()
			s := begin(t)
			s.hello(destination, flags)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("a:b", 1), aDir("aux"), aLink("con.txt", "x"), aFile("good", 1), aLink("l", "good"),
				member{kind: wire.KindOther, name: "nul"}, aDir("d")),
				blockOf(2, wire.BlockLast, aFile("in", 1), aDir("sub"), aLink("l", "x")), blockOf(9, wire.BlockLast, aFile("deep", 1)), blockOf(7, wire.BlockLast, aFile("g", 1)))
			for entry, name := range []string{1: "a:b", 2: "aux", 3: "con.txt"} {
				if name != "" {
					p := s.problem()
					assert.Equal(t, problem{wire.SeverityEntry, uint32(entry), name, paths.UnfitForWindows(name)}, p)
				}
			}
			assert.Equal(t, "4 1 0;12 1 0;", s.wants(), "nothing of what is below the directory")
			want := [wire.Statistics]uint64{wire.StatDirs: 1, wire.StatLinks: 1, wire.StatFailed: 3}
			if flags == wire.HelloDelete {
				s.send(contents(record{4, wire.OpWhole, "x"}, record{12, wire.OpWhole, "x"}))
				want[wire.StatWritten], want[wire.StatReceived] = 2, 2
			}
			assert.Equal(t, want, s.finish())
			if flags == wire.HelloDelete {
				assert.Equal(t, []string{"d", "good", "l"}, namesIn(t, destination))
			}
		}
		// What no honest driver sends ends the sync here, too.
		s := begin(t)
		s.hello(t.TempDir(), 0)
		s.tree(rootBlock(), blockOf(0, 0, aFile("a:b", 1), aFile("../x", 1)))
		s.problem()
	})
}

func TestNamesThatAreOne(t *testing.T) {
	naming := receive.Naming{Unfit: paths.Unfit, FoldsCase: true}
	everyNaming(t, naming, "\nis_one_name = lambda *args: True\nFOLDS_CASE = True\n", func(t *testing.T, begin func(t *testing.T) *script) {
		for _, flags := range []uint32{wire.HelloDryRun, 0} {
			destination := t.TempDir()
			s := begin(t)
			s.hello(destination, flags)
			s.tree(rootBlock(), blockOf(0, 0, aFile("Readme", 1), aDir("É"), aFile("\xff", 1)),
				blockOf(0, wire.BlockLast, aFile("README", 1), aDir("é"), aFile("other", 1)), blockOf(2, wire.BlockLast), blockOf(5, wire.BlockLast, aFile("in", 1)))
			for _, want := range []problem{
				{wire.SeverityEntry, 4, "README", `"Readme" and "README" are one name here`},
				{wire.SeverityEntry, 5, "é", `"É" and "é" are one name here`},
			} {
				want.text = "EEXIST: " + want.text
				assert.Equal(t, want, s.problem())
			}
			assert.Equal(t, "1 1 0;3 1 0;6 1 0;", s.wants())
			if flags == 0 {
				s.send(contents(record{1, wire.OpWhole, "x"}, record{3, wire.OpWhole, "x"}, record{6, wire.OpWhole, "x"}))
			}
			assert.Equal(t, uint64(2), s.finish()[wire.StatFailed])
			if flags == 0 {
				assert.ElementsMatch(t, []string{"Readme", "É", "\xff", "other"}, namesIn(t, destination))
			}
		}
	})
}

// TestNamesThatDifferByCase has them where they are two, as they are on most systems that these
// tests run on. What was made to find that out is gone.
func TestNamesThatDifferByCase(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(destination, "try"), nil, 0o600))
		if _, err := os.Lstat(filepath.Join(destination, "TRY")); err == nil {
			t.Skip("names that differ by case are one here")
		}
		for _, flags := range []uint32{wire.HelloDryRun | wire.HelloDelete, wire.HelloDelete} {
			s := play(t, gw)
			s.hello(destination, flags)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("a", 1), aFile("A", 1), aDir("B"), aDir("b")), blockOf(3, wire.BlockLast), blockOf(4, wire.BlockLast))
			assert.Equal(t, "1 1 0;2 1 0;", s.wants())
			assert.Equal(t, "try", string(s.expect(wire.ItemDeleted).Rest))
			if flags&wire.HelloDryRun == 0 {
				s.send(contents(record{1, wire.OpWhole, "x"}, record{2, wire.OpWhole, "y"}))
			}
			assert.Zero(t, s.finish()[wire.StatFailed])
		}
		assert.Equal(t, []string{"A", "B", "a", "b"}, namesIn(t, destination))
	})
}

// TestPythonFindsOneName has the Python half find out that a name is one with itself, and not with
// another.
func TestPythonFindsOneName(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			directory := t.TempDir()
			source := remoteSource() + fmt.Sprintf(`
def serve(channel):
    d = NewDir(%q)
    for b in b"a", b"b":
        channel.send(is_one_name(d, b".names.execnet-ABCDEFGH", b"a", b))
`, directory)
			s := playSource(t, connect(t, p.Spec())[0], source)
			for _, want := range []bool{true, false} {
				one, err := s.ch.Receive(within.Soon(t))
				require.NoError(t, err)
				assert.Equal(t, want, one)
			}
			require.NoError(t, s.ch.WaitClose(within.Soon(t)))
			assert.Empty(t, namesIn(t, directory))
		})
	}
}
