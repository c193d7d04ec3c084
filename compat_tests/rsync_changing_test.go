//go:build unix

package compat_tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// TestRsyncWhileFilesChange syncs while files grow, shrink, vanish and come back all the time. Each
// sync ends without an error, and its warnings are about changing files. When the changes have
// stopped, one more sync makes both sides the same.
func TestRsyncWhileFilesChange(t *testing.T) {
	for _, end := range dependent(kinds(t)) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			source, dest := places(t)
			tr := tree{"steady": file("s")}
			for i := range 40 {
				tr[fmt.Sprintf("d%d/f%d", i%4, i)] = file(noise(uint64(i), 30_000*(1+i%12)))
			}
			tr.make(t, source)
			gw := end.open(t)

			stop, stopped := make(chan struct{}), make(chan struct{})
			changes := 0
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
						disturb(t, source)
						changes++
					}
				}
			}()
			warnings := map[string]int{}
			for range 4 {
				r := &rsync.RSync{Source: source, Delta: rsync.DeltaAlways}
				require.NoError(t, r.AddTarget(gw, dest, rsync.TargetOptions{Delete: true}))
				require.NoError(t, r.Send(within.Soon(t)), "what changes is no error")
				for _, w := range r.Results()[0].Warnings {
					warnings[w.Problem]++
				}
			}
			close(stop)
			<-stopped
			t.Logf("%d changes, %v", changes, warnings)
			for problem := range warnings {
				assert.Contains(t, []string{"vanished before it could be sent", "changed while it was sent"}, problem)
			}
			send(t, rsync.New(source), gw, dest, rsync.TargetOptions{Delete: true})
			require.Equal(t, entries(t, source, end.keeps), entries(t, dest, end.keeps))
		})
	}
}

// disturb changes one file.
func disturb(t *testing.T, source string) {
	i := rand.IntN(40)
	path := filepath.Join(source, fmt.Sprintf("d%d/f%d", i%4, i))
	var err error
	switch rand.IntN(5) {
	case 0:
		err = os.RemoveAll(path)
	case 1:
		if err = os.Truncate(path, rand.Int64N(300_000)); os.IsNotExist(err) {
			err = nil
		}
	default:
		var f *os.File
		if f, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err == nil {
			_, err = f.WriteString(noise(uint64(i), 1000+rand.IntN(9000)))
			assert.NoError(t, f.Close())
		}
	}
	assert.NoError(t, err)
}
