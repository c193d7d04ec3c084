//go:build unix

package rsync

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSwappedDirectories has somebody who may write to the destination replace a directory by a
// link, again and again, while syncs write, delete, and set modes and times in it. What the link
// leads to stays as it is. Whether the syncs succeed does not matter.
func TestSwappedDirectories(t *testing.T) {
	everyReceiver(t, func(t *testing.T, gw *gatewaybase.Gateway) {
		if gw.Spec().Bootstrap == "import" {
			return // the driver has it run pip's receiving half, which follows links
		}
		base := t.TempDir()
		source, dest, outside := filepath.Join(base, "source"), filepath.Join(base, "dest"), filepath.Join(base, "outside")
		grow(t, dest, nodes{"d/sub/x": file("")})
		precious := nodes{"sub/precious": file("p"), "precious": {0o640, "p", time.Unix(1, 0)}, "f1": {0o400, "not to be overwritten", time.Unix(1, 0)}}
		grow(t, outside, precious)
		before := survey(t, outside, exactly)

		done := make(chan struct{})
		var swapping sync.WaitGroup
		swapping.Go(func() {
			in, away := filepath.Join(dest, "d"), filepath.Join(base, "away")
			for {
				select {
				case <-done:
					return
				default:
				}
				// Whatever of this fails is tried again.
				if os.Rename(in, away) == nil && os.Symlink(outside, in) != nil {
					_ = os.RemoveAll(in)
				}
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				_ = os.Remove(in)
				_ = os.Rename(away, in)
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			}
		})
		for round := range 8 {
			tree := nodes{"l": link("d")}
			for i := range 200 {
				at := int64(round*1000 + i)
				if i%3 == 0 {
					at = int64(i)
				}
				tree[fmt.Sprintf("d/f%d", i)] = fileAt(fmt.Sprint("round ", round%(1+i%4)), at)
				tree[fmt.Sprintf("d/sub/g%d", i)] = file("")
			}
			grow(t, source, tree)
			r := &RSync{Source: source}
			require.NoError(t, r.AddTarget(gw, dest, TargetOptions{Delete: true}))
			_ = r.Send(within.Soon(t))
		}
		close(done)
		swapping.Wait()
		assert.Equal(t, before, survey(t, outside, exactly))
	})
}

// byPath makes the Python half use paths, as it does with Python 2 where there is no /proc.
const byPath = "\nBY_DESCRIPTOR, NewDir = False, PathDir\n"

// TestReceiveByPathRefusesSharedDirectories has directories that others can change, in which a
// receiver that uses paths could be led elsewhere.
func TestReceiveByPathRefusesSharedDirectories(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			gw := connect(t, p.Spec())[0]
			for _, c := range []struct {
				name   string
				mode   os.FileMode // of the directory above the destination
				own    bool
				sub    os.FileMode // of a directory in it
				fatal  bool
				failed uint64
			}{
				{"own", 0o755, true, 0o755, false, 0},
				{"sticky", 0o777 | os.ModeSticky, true, 0o755, false, 0},
				{"for all", 0o777, true, 0o755, true, 0},
				{"for a group", 0o775, true, 0o755, true, 0},
				{"of somebody else", 0o755, false, 0o755, true, 0},
				{"within", 0o755, true, 0o777, false, 2},
			} {
				t.Run(c.name, func(t *testing.T) {
					base := t.TempDir()
					dest := filepath.Join(base, "above", "dest")
					require.NoError(t, os.MkdirAll(filepath.Join(dest, "d"), 0o755))
					require.NoError(t, os.Chmod(filepath.Join(base, "above"), c.mode))
					require.NoError(t, os.Chmod(filepath.Join(dest, "d"), c.sub))
					if !c.own {
						if os.Geteuid() != 0 {
							t.Skip("only root can give directories away")
						}
						require.NoError(t, os.Chown(filepath.Join(base, "above"), 12345, -1))
					}
					// A link to the destination is followed, and what it leads to is looked at.
					require.NoError(t, os.Symlink("above", filepath.Join(base, "link")))
					s := playSource(t, gw, remoteSource()+byPath)
					s.hello(filepath.Join(base, "link", "dest"), 0)
					sub := aDir("d")
					sub.mode = 0o40000 | uint32(c.sub)
					s.tree(rootBlock(), blockOf(0, wire.BlockLast, sub, aFile("f", 1)), blockOf(1, wire.BlockLast, aFile("g", 1)))
					if c.fatal {
						s.fails("others can change " + filepath.Join(base, "above"))
						assert.Equal(t, []string{"d"}, namesIn(t, dest))
						return
					}
					want := "2 1 0;3 1 0;"
					send := contents(record{2, wire.OpWhole, "f"}, record{3, wire.OpWhole, "g"})
					if c.failed > 0 {
						p := s.problem()
						assert.Equal(t, problem{wire.SeverityEntry, 3, "d/g", p.text}, p)
						assert.Contains(t, p.text, "EPERM: others can change ")
						assert.Equal(t, "d", s.problem().path, "nothing in it can be removed")
						want, send = "2 1 0;", contents(record{2, wire.OpWhole, "f"})
					}
					assert.Equal(t, want, s.wants())
					s.send(send)
					s.send([]byte{wire.ItemFinish})
					if c.failed > 0 {
						assert.Equal(t, "d", s.problem().path, "its mode cannot be set either")
					}
					assert.Equal(t, c.failed, s.end()[wire.StatFailed])
					assert.Equal(t, []string{"d", "f"}, namesIn(t, dest))
				})
			}
		})
	}
}
