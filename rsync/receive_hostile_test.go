//go:build unix

package rsync

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-execnet/execnet/internal/rsync/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// hostileNames are those that no receiver may take.
var hostileNames = []string{"", ".", "..", "../x", "a/b", "/", "/etc/passwd", "a/", "/..", "x/../../y"}

// guarded is a destination with neighbours that must stay as they are.
func guarded(t *testing.T) (destination string, check func()) {
	t.Helper()
	base := t.TempDir()
	destination = filepath.Join(base, "destination")
	grow(t, filepath.Join(base, "neighbour"), nodes{"precious": file("p"), "d/x": file("x")})
	grow(t, destination, nodes{"out": link("../neighbour"), "abs": link(filepath.Join(base, "neighbour"))})
	before := survey(t, filepath.Join(base, "neighbour"), exactly)
	return destination, func() {
		t.Helper()
		assert.Equal(t, before, survey(t, filepath.Join(base, "neighbour"), exactly))
		assert.Equal(t, []string{"destination", "neighbour"}, namesIn(t, base))
	}
}

func TestHostileNames(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		for i, kind := range []byte{wire.KindFile, wire.KindDir, wire.KindLink, wire.KindOther} {
			for _, name := range hostileNames[:len(hostileNames)-i*3] {
				destination, check := guarded(t)
				s := play(t, gw)
				s.hello(destination, wire.HelloDelete)
				s.tree(rootBlock(), blockOf(0, 0, aFile("good", 1), member{kind: kind, name: name, mode: 0o644, target: "x"}))
				p := s.problem()
				assert.Equal(t, byte(wire.SeverityFatal), p.severity)
				assert.Regexp(t, "refusing|name", p.text, "%q", name)
				require.NoError(t, s.ch.WaitClose(within.Soon(t)))
				check()
			}
		}
	})
}

func TestHostileLinks(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		for _, target := range []string{"../x", "/etc", "a/../../b", ".."} {
			destination, check := guarded(t)
			s := play(t, gw)
			s.hello(destination, 0)
			s.tree(rootBlock(), blockOf(0, 0, member{kind: wire.KindLinkBase, name: "l", target: target}))
			s.fails("out of the destination")
			check()
		}
		// A link that stands where a directory is announced is replaced; what it led to is not
		// written to.
		for _, name := range []string{"out", "abs"} {
			destination, check := guarded(t)
			s := play(t, gw)
			s.hello(destination, wire.HelloDelete)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, aDir(name)), blockOf(1, wire.BlockLast, aFile("precious", 1)))
			assert.Equal(t, "2 1 0;", s.wants())
			s.send(contents(record{2, wire.OpWhole, "overwritten"}))
			assert.NotEmpty(t, s.expect(wire.ItemDeleted).Rest)
			s.finish()
			check()
			content, err := os.ReadFile(filepath.Join(destination, name, "precious"))
			require.NoError(t, err)
			assert.Equal(t, "overwritten", string(content))
		}
	})
}

func TestDirectoryReplacedByLinkWhileInUse(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination, check := guarded(t)
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aDir("d"), aDir("e"), aFile("f", 1)), blockOf(1, wire.BlockLast, aFile("precious", 1)), blockOf(2, wire.BlockLast))
		assert.Equal(t, "3 1 0;4 1 0;", s.wants())
		require.NoError(t, os.Remove(filepath.Join(destination, "d")))
		require.NoError(t, os.Symlink("../neighbour", filepath.Join(destination, "d")))
		// The root's file comes first, so that d has to be opened anew.
		s.send(contents(record{3, wire.OpWhole, "f"}, record{4, wire.OpWhole, "overwritten"}))
		p := s.problem()
		assert.Equal(t, byte(wire.SeverityEntry), p.severity)
		assert.Equal(t, "d/precious", p.path)
		s.send([]byte{wire.ItemFinish})
		assert.Equal(t, "d", s.problem().path, "its mode cannot be set either")
		assert.Equal(t, uint64(1), s.end()[wire.StatFailed])
		check()
	})
}

func TestHostileItems(t *testing.T) {
	u32 := func(kind byte, numbers ...uint32) []byte {
		item := []byte{kind}
		for _, n := range numbers {
			item = binary.BigEndian.AppendUint32(item, n)
		}
		return item
	}
	huge := blockOf(0, 0, aFile("x", 1))
	binary.BigEndian.PutUint32(huge[5:], 0xffffffff)
	hugeNames := blockOf(0, 0, aFile("x", 1))
	binary.BigEndian.PutUint32(hugeNames[9:], 0xfffffff0)
	items := map[string]any{
		"text":                      "hello",
		"number":                    42,
		"none":                      nil,
		"empty":                     []byte{},
		"too long":                  append([]byte{wire.ItemContents}, make([]byte, wire.MaxItem)...),
		"unknown kind":              []byte("?"),
		"hello again":               helloItem("/x", 0),
		"short tree":                []byte("T\x00\x00"),
		"huge count":                append([]byte{wire.ItemTree}, huge...),
		"huge names":                append([]byte{wire.ItemTree}, hugeNames...),
		"second root":               append([]byte{wire.ItemTree}, rootBlock()...),
		"unknown directory":         append([]byte{wire.ItemTree}, blockOf(99, 0, aFile("x", 1))...),
		"file as directory":         append([]byte{wire.ItemTree}, blockOf(2, 0, aFile("x", 1))...),
		"unknown kind of entry":     append([]byte{wire.ItemTree}, blockOf(0, 0, member{kind: '?', name: "x"})...),
		"unknown flags":             append([]byte{wire.ItemTree}, blockOf(0, 8)...),
		"name twice":                append([]byte{wire.ItemTree}, blockOf(0, 0, aFile("x", 1), aFile("x", 1))...),
		"name again":                append([]byte{wire.ItemTree}, blockOf(0, 0, aFile("f", 1))...),
		"name too long":             append([]byte{wire.ItemTree}, blockOf(0, 0, aFile(strings.Repeat("x", wire.MaxName+1), 1))...),
		"NUL in a name":             append([]byte{wire.ItemTree}, blockOf(0, 0, aFile("x\x00y", 1))...),
		"more targets":              append([]byte{wire.ItemTree}, blockOf(0, 0, aLink("x", "a\x00b"))...),
		"early end":                 []byte{wire.ItemFinish},
		"long end":                  []byte{wire.ItemFinish, 0},
		"unknown entry":             contents(record{77, wire.OpWhole, "x"}),
		"contents of a directory":   contents(record{1, wire.OpWhole, "x"}),
		"unknown op":                contents(record{2, 9, "x"}),
		"twice":                     contents(record{2, wire.OpWhole, "x"}, record{2, wire.OpWhole, "x"}),
		"whole in pieces":           contents(record{2, wire.OpData, "x"}, record{2, wire.OpWhole, "x"}),
		"same in pieces":            contents(record{2, wire.OpData, "x"}, record{2, wire.OpSame, ""}),
		"same without anything":     contents(record{2, wire.OpSame, ""}),
		"a copy in pieces":          contents(record{2, wire.OpData, "x"}, record{2, wire.OpHere, strings.Repeat("x", identitySize+1)}),
		"a copy of nothing":         contents(record{2, wire.OpHere, strings.Repeat("\x00", identitySize)}),
		"a copy without identity":   contents(record{2, wire.OpHere, "/etc/passwd"}),
		"a copy of negative size":   contents(record{2, wire.OpHere, strings.Repeat("\xff", identitySize) + "/etc/passwd"}),
		"copy without signatures":   contents(record{2, wire.OpCopy, pairs(0, 1)}),
		"digest without signatures": contents(record{2, wire.OpEnd, digestOf("")}),
		"length beyond":             contents(record{2, wire.OpWhole, "x"})[:14],
		"trailing":                  append(contents(record{2, wire.OpWhole, "x"}), 'y'),
		"huge records":              u32(wire.ItemContents, 0xffffffff),
		"signatures of nothing":     u32(wire.ItemSign, 2),
		"signatures of a directory": u32(wire.ItemSign, 0),
		"short signatures":          []byte{wire.ItemSign, 0},
	}
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		for name, item := range items {
			t.Run(name, func(t *testing.T) {
				destination, check := guarded(t)
				s := play(t, gw)
				s.hello(destination, 0)
				s.tree(rootBlock(), blockOf(0, 0, aDir("d"), aFile("f", 1)))
				assert.Equal(t, "2 1 0;", s.wants())
				s.send(item)
				s.fails("")
				check()
				for _, left := range namesIn(t, destination) {
					assert.NotContains(t, left, ".execnet-")
				}
			})
		}
	})
}

func TestHostileHello(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		wrongVersion := helloItem("/x", 0)
		wrongVersion[2] = 9
		for text, item := range map[string]any{
			"version 9":   wrongVersion,
			"flags":       helloItem("/x", 1<<20),
			"destination": helloItem("a\x00b", 0),
			"byte string": serializer.Tuple{"a", "b"},
			"hello":       []byte("VV"),
		} {
			s := play(t, gw)
			s.send(item)
			s.fails(text)
		}
		s := play(t, gw)
		s.send(helloItem("", 0))
		s.fails("")
	})
}

func TestDeltaOfHostileBlocks(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		for _, blocks := range []string{pairs(0, 0), pairs(0, 3), pairs(5, 1), pairs(0xffffffff, 0xffffffff), pairs(1, 1, 2, 1), "short"} {
			destination := t.TempDir()
			grow(t, destination, nodes{"f": file(strings.Repeat("x", 4000))})
			s := play(t, gw)
			s.hello(destination, 0)
			s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 10)))
			assert.Equal(t, "1 2 4000;", s.wants())
			s.send(binary.BigEndian.AppendUint32([]byte{wire.ItemSign}, 1))
			require.Len(t, s.signatures(1, 2), 2)
			s.send(contents(record{1, wire.OpCopy, blocks}))
			s.fails("blocks")
			assert.Equal(t, []string{"f"}, namesIn(t, destination))
		}
	})
}

func TestDriverGoneLeavesNoTemporary(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := t.TempDir()
		s := play(t, gw)
		s.hello(destination, 0)
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 10)))
		s.wants()
		s.send(contents(record{1, wire.OpData, strings.Repeat("x", wire.AckEvery)}))
		v, err := s.ch.Receive(within.Soon(t)) // the piece has been written
		require.NoError(t, err)
		require.Equal(t, byte(wire.ItemAck), v.([]byte)[0])
		require.Len(t, namesIn(t, destination), 1)
		require.NoError(t, s.ch.Close())
		// A worker that has one thread for programs gets to it when the first has ended.
		again := play(t, gw)
		again.hello(t.TempDir(), 0)
		require.Eventually(t, func() bool { return len(namesIn(t, destination)) == 0 }, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, again.ch.Close())
	})
}

// askReference plays pip's RSync as a driver to ReceiveReference and returns how that ends.
func askReference(t *testing.T, destination any, items ...any) error {
	t.Helper()
	ch, err := goReceivers(t).RemoteExec(t.Context(), "def serve_rsync(channel): pass")
	require.NoError(t, err)
	require.NoError(t, ch.Reconfigure(t.Context(), gatewaybase.StrConfig{}))
	require.NoError(t, ch.Send(t.Context(), serializer.Tuple{destination, map[string]any{"delete": true}}))
	for _, item := range items {
		if err := ch.Send(t.Context(), item); err != nil { // it has refused an earlier one
			require.ErrorIs(t, err, gatewaybase.ErrClosed)
			break
		}
	}
	for {
		if _, err := ch.Receive(within.Soon(t)); err != nil {
			return err
		}
	}
}

func TestHostileReferenceDriver(t *testing.T) {
	mode, fileItem := int64(0o40755), serializer.Tuple{int64(0o100644), 1.0, int64(1)}
	link := func(path, target string) serializer.Tuple { return serializer.Tuple{"link", path, target} }
	for name, items := range map[string][]any{
		"NUL":                       {[]any{mode, "a\x00b"}, fileItem},
		"name as number":            {[]any{mode, int64(5)}},
		"no mode":                   {[]any{}},
		"mode as text":              {[]any{"x"}},
		"negative mode":             {[]any{int64(-1)}},
		"short file":                {[]any{mode, "a"}, serializer.Tuple{}},
		"negative size":             {[]any{mode, "a"}, serializer.Tuple{mode, 1.0, int64(-1)}},
		"endless time":              {[]any{mode, "a"}, serializer.Tuple{mode, 1e300, int64(1)}},
		"entry as number":           {int64(5)},
		"content as text":           {[]any{mode, "a"}, fileItem, "text"},
		"link not announced":        {[]any{mode, "a"}, nil, link("../neighbour/precious", "x")},
		"link up":                   {[]any{mode, "a"}, nil, link("..", "x")},
		"link through a link":       {[]any{mode, "out"}, nil, link("out/precious", "x")},
		"link as directory":         {[]any{mode}, link("abs", "x")},
		"unknown kind of link":      {[]any{mode, "a"}, nil, serializer.Tuple{"hard", "a", "x"}},
		"number that is not 42":     {[]any{mode}, int64(41)},
		"content through bad names": {[]any{mode, "..", "neighbour"}, []any{mode, "precious"}, fileItem},
	} {
		t.Run(name, func(t *testing.T) {
			destination, check := guarded(t)
			err := askReference(t, destination, items...)
			require.Error(t, err)
			assert.NotErrorIs(t, err, io.EOF, "it should have been refused")
			assert.NotErrorIs(t, err, context.DeadlineExceeded)
			check()
		})
	}
	for _, name := range hostileNames {
		destination, check := guarded(t)
		err := askReference(t, destination, []any{mode, name}, fileItem, []byte("x"))
		assert.ErrorContains(t, err, "refusing the path", "%q", name)
		check()
	}
	// Names as Python 2 sends them, and a link where a directory is announced.
	destination, check := guarded(t)
	err := askReference(t, []byte(destination), []any{mode, []byte("out"), []byte("\xff")}, []any{mode, []byte("precious")}, fileItem, fileItem, []byte("1"), []byte("2"), int64(42))
	assert.ErrorIs(t, err, io.EOF)
	check()
	content, err := os.ReadFile(filepath.Join(destination, "out/precious"))
	require.NoError(t, err)
	assert.Equal(t, "1", string(content))
	assert.Equal(t, []string{"out", "\xff"}, namesIn(t, destination), "with delete, the rest is gone")
}
