package rsync

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-execnet/execnet/internal/rsync/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// farEnd is a kind of worker to send to.
type farEnd struct {
	name, spec string // an empty spec means a Go worker in this process
	reference  bool
}

// farEnds are a Go worker, the default Python, the oldest one, and Python's own execnet.
func farEnds(t *testing.T) []farEnd {
	t.Helper()
	ends := []farEnd{
		{"go", "", false},
		{"python", pythons.Default(t).Spec(), false},
		{"reference", "popen//bootstrap=import//python=" + pythons.WithExecnet(t), true},
	}
	if oldest := pythons.All(t)[0]; oldest.Major == 2 {
		ends = append(ends, farEnd{"python2", oldest.Spec(), false})
	}
	return ends
}

// connect makes gateways that end with the test.
func connect(t *testing.T, specs ...string) []*gatewaybase.Gateway {
	t.Helper()
	group := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, group.Terminate(within.Time(t, 5*time.Second))) })
	var all []*gatewaybase.Gateway
	for _, spec := range specs {
		if spec == "" {
			all = append(all, goReceivers(t))
			continue
		}
		gw, err := group.MakeGateway(within.Soon(t), spec)
		require.NoError(t, err)
		all = append(all, gw)
	}
	return all
}

// view is a survey of a tree with what a kind of far end can keep. Python 2 rounds to microseconds,
// so that times are compared to the second.
func (f farEnd) view(t *testing.T, path string) string {
	t.Helper()
	if f.name != "python2" {
		return survey(t, path, f.reference)
	}
	return fractions.ReplaceAllString(survey(t, path, exactly), "$1")
}

var fractions = regexp.MustCompile(`( -?\d+)\.\d{9} `)

// log keeps the events of a sync.
type log struct {
	mu     sync.Mutex
	events []Event
}

func (l *log) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *log) of(kind EventKind) map[string]int64 {
	all := map[string]int64{}
	for _, e := range l.events {
		if e.Kind == kind {
			all[e.Path] = e.Size
		}
	}
	return all
}

func TestSendEveryShape(t *testing.T) {
	for _, end := range farEnds(t) {
		for _, policy := range []Delta{DeltaNever, DeltaAlways} {
			if end.reference && policy == DeltaAlways {
				continue
			}
			t.Run(fmt.Sprintf("%s %d", end.name, policy), func(t *testing.T) {
				t.Parallel()
				source, dest := filepath.Join(t.TempDir(), "source"), filepath.Join(t.TempDir(), "new", "dest")
				t.Cleanup(func() { raze(t, dest) })
				gw := connect(t, end.spec)[0]
				for _, shape := range shapes {
					if end.name == "python2" && shape.name == "negative time" {
						continue // it rounds fractions of a second before 1970 to whole ones
					}
					if end.reference && (shape.name == "deep" || shape.name == "names") {
						continue
					}
					grow(t, source, shape.tree)
					if end.reference && strings.HasPrefix(shape.name, "modes") {
						raze(t, dest) // it gives the owner all bits where it changes a mode
					}
					for _, times := range []string{"first", "again"} {
						var seen log
						r := &RSync{Source: source, Callback: seen.add, Delta: policy}
						finished := false
						require.NoError(t, r.AddTarget(gw, dest, TargetOptions{Delete: true, Finished: func() { finished = true }}))
						require.NoError(t, r.Send(within.Soon(t)), shape.name)
						require.True(t, finished)
						require.Equal(t, end.view(t, source), end.view(t, dest), shape.name)
						if times == "again" && !end.reference {
							require.Empty(t, seen.of(EventSend), shape.name)
							require.Zero(t, r.Results()[0].Stats, shape.name)
						}
					}
				}
			})
		}
	}
}

func TestSendTells(t *testing.T) {
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			large := strings.Repeat("0123456789", 100_000)
			grow(t, source, nodes{"a": file("four"), "sub/b": file(large), "sub/none": file("")})
			gw := connect(t, end.spec)[0]
			var seen log
			var verbose strings.Builder
			r := &RSync{Source: source, Callback: seen.add, Verbose: &verbose}
			require.NoError(t, r.AddTarget(gw, dest, TargetOptions{}))
			require.NoError(t, r.Send(within.Soon(t)))
			sizes := map[string]int64{"a": 4, "sub/b": 1_000_000, "sub/none": 0}
			require.Equal(t, sizes, seen.of(EventSend))
			require.Equal(t, sizes, seen.of(EventAck))
			require.Equal(t, map[string]int64{"": 1_000_004}, seen.of(EventList))
			require.Contains(t, verbose.String(), gw.String()[:15])
			require.Contains(t, verbose.String(), " <= sub/b\n")
			require.EqualValues(t, 3, r.Results()[0].Files)
			require.EqualValues(t, 1_000_004, r.Results()[0].Literal)
			require.ErrorIs(t, r.Send(within.Soon(t)), ErrNoTargets)
		})
	}
}

func TestSendDelta(t *testing.T) {
	for _, end := range farEnds(t) {
		if end.reference {
			continue
		}
		t.Run(end.name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			data := noise(7, 3_000_000)
			put := func(at string, data []byte) { require.NoError(t, os.WriteFile(at, data, 0o600)) }
			put(filepath.Join(source, "large"), data)
			put(filepath.Join(source, "medium"), data[:200_000])
			put(filepath.Join(source, "small"), data[:60_000])
			changed := func(data []byte) []byte {
				return append(append(append([]byte{}, data[:len(data)/2]...), "inserted"...), data[len(data)/2+1000:]...)
			}
			put(filepath.Join(dest, "large"), changed(data))
			put(filepath.Join(dest, "medium"), changed(data[:200_000]))
			put(filepath.Join(dest, "small"), changed(data[:60_000]))
			gw := connect(t, end.spec)[0]
			r := &RSync{Source: source, Delta: DeltaAlways}
			require.NoError(t, r.AddTarget(gw, dest, TargetOptions{}))
			require.NoError(t, r.Send(within.Soon(t)))
			require.Equal(t, end.view(t, source), end.view(t, dest))
			stats := r.Results()[0].Stats
			require.EqualValues(t, 3, stats.Files)
			require.Less(t, stats.Literal, int64(75_000))
			require.Greater(t, stats.Matched, int64(3_100_000))
		})
	}
}

func TestSendToMany(t *testing.T) {
	source := t.TempDir()
	tree := nodes{"l": link("a"), "sub/l": link("../a")}
	for i := range 300 {
		tree[fmt.Sprintf("d%d/f%d", i%7, i)] = file(strings.Repeat("x", i*50))
	}
	tree["large"] = file(strings.Repeat("large", 500_000))
	grow(t, source, tree)
	coarsest := farEnd{name: "python2"}
	var specs []string
	for _, end := range farEnds(t) {
		specs = append(specs, end.spec)
	}
	r := New(source)
	var seen log
	r.Callback = seen.add
	var dests []string
	for i, gw := range connect(t, append(specs, specs...)...) {
		dests = append(dests, t.TempDir())
		if i%3 == 0 { // these have most already
			for name, n := range tree {
				if len(name)%2 == 0 && n.mode.IsRegular() {
					grow(t, filepath.Join(dests[i], filepath.Dir(name)), nodes{filepath.Base(name): n})
				}
			}
		}
		require.NoError(t, r.AddTarget(gw, dests[i], TargetOptions{Delete: true}))
	}
	require.NoError(t, r.Send(within.Soon(t)))
	for _, dest := range dests {
		require.Equal(t, coarsest.view(t, source), coarsest.view(t, dest))
	}
	require.Len(t, r.Results(), len(dests))
}

func TestSendLinksIntoTheTree(t *testing.T) {
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			grow(t, source, nodes{"sub/a": file("a")})
			require.NoError(t, os.Symlink(filepath.Join(source, "sub", "a"), filepath.Join(source, "inside")))
			require.NoError(t, os.Symlink(source, filepath.Join(source, "top")))
			require.NoError(t, os.Symlink(source+"-other", filepath.Join(source, "outside")))
			r := New(source)
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{}))
			require.NoError(t, r.Send(within.Soon(t)))
			for name, want := range map[string]string{"inside": filepath.Join(dest, "sub", "a"), "top": source, "outside": source + "-other"} {
				got, err := os.Readlink(filepath.Join(dest, name))
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

func TestSendFilter(t *testing.T) {
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			grow(t, source, nodes{"a": file("a"), "a.tmp": file("t"), "skip/b": file("b"), "keep/c": file("c")})
			r := New(source)
			r.Filter = func(path string) bool {
				require.True(t, strings.HasPrefix(path, source+string(filepath.Separator)))
				return !strings.HasSuffix(path, ".tmp") && filepath.Base(path) != "skip"
			}
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{}))
			require.NoError(t, r.Send(within.Soon(t)))
			require.ElementsMatch(t, []string{"a", "keep"}, namesIn(t, dest))
		})
	}
}

func TestSendDryRun(t *testing.T) {
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			grow(t, source, nodes{"new": file("n"), "same": file("s"), "touched": fileAt("t", 5), "other": fileAt("1", 5), "sub/deeper": file("d")})
			grow(t, dest, nodes{"same": file("s"), "touched": file("t"), "other": file("2"), "gone/x": file("x")})
			before := survey(t, dest, exactly)
			var seen log
			r := &RSync{Source: source, DryRun: true, Callback: seen.add}
			err := r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{Delete: true})
			if end.reference {
				require.ErrorContains(t, err, "dry run")
				return
			}
			require.NoError(t, err)
			require.NoError(t, r.Send(within.Soon(t)))
			require.Equal(t, before, survey(t, dest, exactly))
			require.Equal(t, map[string]int64{"new": 1, "other": 1, "sub/deeper": 1}, seen.of(EventSend))
			require.Contains(t, seen.of(EventDelete), "gone")
			require.EqualValues(t, 3, r.Results()[0].Files)
		})
	}
}

// A directory that does not fit into one item, nor its links.
func TestSendWideDirectory(t *testing.T) {
	source := t.TempDir()
	for i := range 600 {
		name := fmt.Sprintf("%s%04d", strings.Repeat("n", 200), i)
		require.NoError(t, os.WriteFile(filepath.Join(source, name), []byte(name[190:]), 0o600))
		if i%3 == 0 {
			require.NoError(t, os.Symlink(strings.Repeat("t", 3900+i%7), filepath.Join(source, fmt.Sprint(i))))
		}
	}
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			dest := t.TempDir()
			r := New(source)
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{Delete: true}))
			require.NoError(t, r.Send(within.Soon(t)))
			require.True(t, end.view(t, source) == end.view(t, dest))
		})
	}
}

// A receiver whose delta came out wrong asks for the file again, and gets it whole.
func TestSendAgain(t *testing.T) {
	source := t.TempDir()
	data := noise(9, wire.PieceSize+100_000)
	require.NoError(t, os.WriteFile(filepath.Join(source, "f"), data, 0o600))
	var ops []byte
	var again []byte
	gw := pretend(t, "", func(ch *gatewaybase.Channel) {
		told := uint64(0)
		asked := false
		for v := range ch.Items(within.Soon(t)) {
			item := v.([]byte)
			f := wire.Fields{Rest: item[1:]}
			switch item[0] {
			case wire.ItemTree:
				assert.NoError(t, ch.Send(t.Context(), ask(want{1, wire.WantDiffers, int64(len(data))})))
			case wire.ItemSign:
				entry := f.U32()
				answer := binary.BigEndian.AppendUint32(wire.EntryItem(wire.ItemSignatures, entry), 0)
				for block := range slices.Chunk(data, int(wire.BlockSize(int64(len(data))))) {
					answer = wire.Sign(block).AppendTo(answer)
				}
				answer[len(answer)-1]++ // the last block differs
				assert.NoError(t, ch.Send(t.Context(), answer))
			case wire.ItemContents:
				told += uint64(len(item))
				assert.NoError(t, ch.Send(t.Context(), binary.BigEndian.AppendUint64([]byte{wire.ItemAck}, told)))
				records := make([]wire.Fields, f.U32())
				for i := range records {
					records[i].Rest = f.Bytes(wire.ContentRecord)
				}
				for _, r := range records {
					assert.EqualValues(t, 1, r.U32())
					op := r.U8()
					content := f.Bytes(int(r.U32()))
					ops = append(ops, op)
					if asked && op == wire.OpData {
						again = append(again, content...)
					}
					if op == wire.OpEnd && !asked {
						asked = true
						digest := sha256.Sum256(data)
						assert.Equal(t, digest[:], content)
						assert.NoError(t, ch.Send(t.Context(), wire.EntryItem(wire.ItemAgain, 1)))
					} else if op == wire.OpEnd {
						assert.Empty(t, content)
						end := append([]byte{wire.ItemEnd}, make([]byte, 8*wire.Statistics)...)
						assert.NoError(t, ch.Send(t.Context(), end))
						return
					}
				}
			}
		}
	})
	r := &RSync{Source: source, Delta: DeltaAlways}
	require.NoError(t, r.AddTarget(gw, "dest", TargetOptions{}))
	require.NoError(t, r.Send(within.Soon(t)))
	require.Equal(t, []byte{wire.OpCopy, wire.OpData, wire.OpEnd, wire.OpData, wire.OpData, wire.OpEnd}, ops)
	require.True(t, bytes.Equal(data, again))
}
