//go:build unix

package rsync

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// identitySize is the length of an identity as it travels.
const identitySize = 5 * 8

// identityOf is the identity of what is at a path.
func identityOf(t *testing.T, path string) wire.Identity {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	id, err := wire.Identify(f)
	require.NoError(t, err)
	return id
}

// copyOf is the record that has a receiver copy a file.
func copyOf(entry uint32, id wire.Identity, path string) record {
	return record{entry, wire.OpHere, string(id.AppendTo(nil)) + path}
}

// everyCopier is everyReceiver for those that copy files.
func everyCopier(t *testing.T, destination string, test func(t *testing.T, s *script, destination string)) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		destination := filepath.Join(destination, t.Name())
		s := play(t, gw)
		if s.hello(destination, 0)&wire.WelcomeHere != 0 {
			test(t, s, destination)
			return
		}
		s.send([]byte{wire.ItemFinish})
		s.fails("before the whole tree")
	})
}

func TestReceiveHere(t *testing.T) {
	source := filepath.Join(t.TempDir(), "a source")
	data := noise(1, 3*wire.HerePiece+1000)
	require.NoError(t, os.WriteFile(source, data, 0o600))
	everyCopier(t, t.TempDir(), func(t *testing.T, s *script, destination string) {
		s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", uint64(len(data)))))
		assert.Equal(t, "1 1 0;", s.wants())
		item := contents(copyOf(1, identityOf(t, source), source))
		s.send(item)
		var acks []uint64
		for last := uint64(0); last < uint64(len(item)+len(data)); {
			v, err := s.ch.Receive(within.Soon(t))
			require.NoError(t, err)
			f := &wire.Fields{Rest: v.([]byte)}
			require.Equal(t, byte(wire.ItemAck), f.U8())
			require.Greater(t, f.U64(), last)
			last = binary.BigEndian.Uint64(v.([]byte)[1:])
			acks = append(acks, last)
			if len(acks) == 4 { // the rest is less than is worth telling
				s.send([]byte{wire.ItemFinish})
			}
		}
		assert.Equal(t, []uint64{wire.HerePiece, 2 * wire.HerePiece, 3 * wire.HerePiece, uint64(len(data))}, acks[:4])
		assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 1, wire.StatDirs: 1, wire.StatReceived: uint64(len(data))}, s.end())
		copied, err := os.ReadFile(filepath.Join(destination, "f"))
		require.NoError(t, err)
		assert.Equal(t, data, copied)
		info, err := os.Stat(filepath.Join(destination, "f"))
		require.NoError(t, err)
		assert.Equal(t, int64(5), info.ModTime().UnixNano())
		assert.Equal(t, os.FileMode(0o644), info.Mode())
	})
}

// TestReceiveHereFails names what is not there, or not what it is said to be: the receiver wants to
// be sent it.
func TestReceiveHereFails(t *testing.T) {
	base := t.TempDir()
	source := filepath.Join(base, "source")
	require.NoError(t, os.WriteFile(source, []byte("source"), 0o600))
	other := filepath.Join(base, "other")
	require.NoError(t, os.WriteFile(other, []byte("others"), 0o600))
	require.NoError(t, os.Symlink(source, filepath.Join(base, "link")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(base, "fifo"), 0o600))
	id := identityOf(t, source)
	but := func(change func(*wire.Identity)) wire.Identity {
		changed := id
		change(&changed)
		return changed
	}
	cases := map[string]record{
		"absent":       copyOf(1, id, filepath.Join(base, "absent")),
		"another file": copyOf(1, id, other),
		"a directory":  copyOf(1, id, base),
		"a pipe":       copyOf(1, id, filepath.Join(base, "fifo")),
		"no path":      copyOf(1, id, "a\x00b"),
		"size":         copyOf(1, but(func(id *wire.Identity) { id.Size++ }), source),
		"time":         copyOf(1, but(func(id *wire.Identity) { id.MTime++ }), source),
		"change":       copyOf(1, but(func(id *wire.Identity) { id.CTime-- }), source),
		"device":       copyOf(1, but(func(id *wire.Identity) { id.Device++ }), source),
	}
	for name, record1 := range cases {
		t.Run(name, func(t *testing.T) {
			everyCopier(t, t.TempDir(), func(t *testing.T, s *script, destination string) {
				s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", 6), aFile("g", 1)))
				assert.Equal(t, "1 1 0;2 1 0;", s.wants())
				s.send(contents(record1, record{2, wire.OpWhole, "g"}))
				f := s.expect(wire.ItemAgain)
				assert.Equal(t, uint32(1), f.U32())
				require.NoError(t, f.End("again"))
				s.send([]byte{wire.ItemFinish})
				s.send(contents(record{1, wire.OpData, "sou"}, record{1, wire.OpData, "rce"}, record{1, wire.OpEnd, ""}))
				assert.Equal(t, [wire.Statistics]uint64{wire.StatWritten: 2, wire.StatDirs: 1, wire.StatReceived: 7}, s.end())
				assert.Equal(t, []string{"f", "g"}, namesIn(t, destination))
				content, err := os.ReadFile(filepath.Join(destination, "f"))
				require.NoError(t, err)
				assert.Equal(t, "source", string(content))
			})
		})
	}
}

// TestReceiveHereOfChangingFile changes the file while it is being copied.
func TestReceiveHereOfChangingFile(t *testing.T) {
	const size = 16 << 30 // of which little is copied before the change is noticed
	for name, change := range map[string]func(t *testing.T, path string){
		"other content": func(t *testing.T, path string) { require.NoError(t, os.Chtimes(path, time.Time{}, time.Now())) },
		"shorter":       func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, wire.HerePiece)) },
	} {
		t.Run(name, func(t *testing.T) {
			everyCopier(t, t.TempDir(), func(t *testing.T, s *script, destination string) {
				source := filepath.Join(t.TempDir(), "source")
				require.NoError(t, os.WriteFile(source, nil, 0o600))
				require.NoError(t, os.Truncate(source, size)) // a hole
				s.tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("f", size)))
				assert.Equal(t, "1 1 0;", s.wants())
				s.send(contents(copyOf(1, identityOf(t, source), source)))
				v, err := s.ch.Receive(within.Soon(t))
				require.NoError(t, err)
				require.Equal(t, byte(wire.ItemAck), v.([]byte)[0])
				change(t, source)
				assert.Equal(t, uint32(1), s.expect(wire.ItemAgain).U32())
				assert.Empty(t, namesIn(t, destination), "no temporary file is left")
				s.send(contents(record{1, wire.OpWhole, "small"}))
				assert.Equal(t, uint64(1), s.finish()[wire.StatWritten])
			})
		})
	}
}

// TestSendHere syncs large files to workers that copy them, and to one that is told not to.
func TestSendHere(t *testing.T) {
	source := t.TempDir()
	tree := nodes{"small": file("s"), "sub/large": file(string(noise(1, 5<<20))), "sub/larger": file(string(noise(2, 20<<20))),
		"sub/medium": file(string(noise(3, 1<<20)))}
	grow(t, source, tree)
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			var seen log
			r := New(source)
			r.Callback = seen.add
			gws := connect(t, end.spec, end.spec)
			var dests []string
			for _, gw := range gws {
				dests = append(dests, t.TempDir())
				require.NoError(t, r.AddTarget(gw, dests[len(dests)-1], TargetOptions{}))
			}
			require.NoError(t, os.WriteFile(filepath.Join(dests[0], "small"), []byte("old"), 0o600))
			require.NoError(t, os.Mkdir(filepath.Join(dests[0], "sub"), 0o700))
			// So that it is compared.
			require.NoError(t, os.WriteFile(filepath.Join(dests[0], "sub", "large"), noise(4, 5<<20), 0o600))
			require.NoError(t, r.Send(within.Soon(t)))
			for i, dest := range dests {
				require.Equal(t, end.view(t, source), end.view(t, dest))
				require.EqualValues(t, 4, r.Results()[i].Files)
				require.EqualValues(t, 26<<20+1, r.Results()[i].Literal)
			}
			require.Equal(t, map[string]int64{"small": 1, "sub/large": 5 << 20, "sub/larger": 20 << 20, "sub/medium": 1 << 20}, seen.of(EventAck))
			if !end.reference {
				last := map[*gatewaybase.Gateway]int64{}
				for _, e := range seen.events {
					if e.Kind == EventProgress {
						require.Greater(t, e.Size, last[e.Gateway])
						last[e.Gateway] = e.Size
					}
				}
				for _, gw := range gws {
					require.EqualValues(t, 26<<20+1, last[gw], "as much as was wanted")
				}
			}
		})
	}
}

// TestSendHereIsRefused has a worker that says it could copy files and then cannot.
func TestSendHereIsRefused(t *testing.T) {
	source := t.TempDir()
	data := string(noise(1, 3<<20))
	grow(t, source, nodes{"large": file(data)})
	got, offered := "", 0
	gw := pretend(t, "", func(ch *gatewaybase.Channel) {
		_ = ch.Send(t.Context(), []byte{wire.ItemWelcome, 0, wire.ProtocolVersion, 0, 0, 0, wire.WelcomeHere})
		dealt := uint64(0)
		for v, err := range ch.Items(within.Soon(t)) {
			if !assert.NoError(t, err) {
				return
			}
			b := v.([]byte)
			if b[0] == wire.ItemTree {
				_ = ch.Send(t.Context(), ask(want{1, wire.WantContent, 0}))
			}
			if b[0] != wire.ItemContents {
				continue
			}
			f := &wire.Fields{Rest: b[1:]}
			count := f.U32()
			table := &wire.Fields{Rest: f.Bytes(int(count) * wire.ContentRecord)}
			dealt += uint64(len(b))
			for range count {
				entry, op, length := table.U32(), table.U8(), table.U32()
				assert.EqualValues(t, 1, entry)
				piece := f.Bytes(int(length))
				switch op {
				case wire.OpHere:
					place := &wire.Fields{Rest: piece}
					assert.Equal(t, identityOf(t, filepath.Join(source, "large")), place.Identity())
					assert.Equal(t, filepath.Join(source, "large"), string(place.Rest))
					offered++
					dealt += uint64(len(data))
					_ = ch.Send(t.Context(), wire.EntryItem(wire.ItemAgain, 1))
				case wire.OpData:
					got += string(piece)
				case wire.OpEnd:
					_ = ch.Send(t.Context(), binary.BigEndian.AppendUint64([]byte{wire.ItemAck}, dealt))
					_ = ch.Send(t.Context(), append([]byte{wire.ItemEnd}, make([]byte, 8*wire.Statistics)...))
					return
				}
			}
		}
	})
	r := New(source)
	require.NoError(t, r.AddTarget(gw, "dest", TargetOptions{}))
	require.NoError(t, r.Send(within.Soon(t)))
	require.Equal(t, 1, offered)
	require.Equal(t, data, got)
}
