//go:build unix

package rsync

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestSendOddEntries(t *testing.T) {
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			grow(t, source, nodes{"a": file("a")})
			require.NoError(t, syscall.Mkfifo(filepath.Join(source, "pipe"), 0o600))
			socket, err := net.Listen("unix", filepath.Join(source, "socket"))
			require.NoError(t, err)
			defer socket.Close()
			bytesName := "caf\xe9"
			require.NoError(t, os.WriteFile(filepath.Join(source, bytesName), []byte("latin"), 0o600))
			r := New(source)
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{}))
			err = r.Send(within.Soon(t))
			warned := map[string]string{}
			for _, w := range r.Results()[0].Warnings {
				warned[w.Path] = w.Problem
			}
			require.Equal(t, map[string]string{"pipe": "not sent: it is a named pipe", "socket": "not sent: it is a socket"}, warned)
			if end.reference {
				var lost *SourceError
				require.ErrorAs(t, err, &lost)
				require.Equal(t, bytesName, lost.Files[0].Path)
				require.Equal(t, []string{"a"}, namesIn(t, dest))
				return
			}
			require.NoError(t, err)
			require.ElementsMatch(t, []string{"a", bytesName}, namesIn(t, dest))
		})
	}
}

// A file can vanish, shrink, grow or become unreadable between its announcement and its turn. The
// callback makes it so when the first one is sent.
func TestSendMovingTarget(t *testing.T) {
	ends := farEnds(t)
	for i, end := range slices.Concat(ends, ends) {
		policy, name := DeltaNever, end.name
		if i >= len(ends) {
			policy, name = DeltaAlways, end.name+" delta"
			if end.reference {
				continue
			}
		}
		t.Run(name, func(t *testing.T) {
			source, dest := t.TempDir(), t.TempDir()
			large := strings.Repeat("large", 400_000)
			grow(t, source, nodes{"a": file("first")})
			grow(t, dest, nodes{"z/vanishes": file("old"), "z/grows": file(large + large), "z/shrinks": file(large[:100_000])})
			for _, name := range []string{"vanishes", "grows", "shrinks", "pipe", "dirs/in"} {
				at := filepath.Join(source, "z", name)
				require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
				require.NoError(t, os.WriteFile(at, []byte(large), 0o600))
			}
			z := filepath.Join(source, "z")
			once := sync.Once{}
			r := &RSync{Source: source, Delta: policy}
			r.Callback = func(e Event) {
				if e.Kind != EventSend {
					return
				}
				once.Do(func() {
					require.NoError(t, os.Remove(filepath.Join(z, "vanishes")))
					require.NoError(t, os.WriteFile(filepath.Join(z, "grows"), []byte(large+"more"), 0o600))
					require.NoError(t, os.Truncate(filepath.Join(z, "shrinks"), 1000))
					require.NoError(t, os.Remove(filepath.Join(z, "pipe")))
					require.NoError(t, syscall.Mkfifo(filepath.Join(z, "pipe"), 0o600))
					require.NoError(t, os.RemoveAll(filepath.Join(z, "dirs")))
				})
			}
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{}))
			err := r.Send(within.Soon(t))
			var lost *SourceError
			require.ErrorAs(t, err, &lost)
			require.Len(t, lost.Files, 1)
			require.Equal(t, "z/pipe", lost.Files[0].Path)
			warned := map[string]string{}
			for _, w := range r.Results()[0].Warnings {
				warned[w.Path] = w.Problem
			}
			gone, changed := "vanished before it could be sent", "changed while it was sent"
			require.Equal(t, map[string]string{"z/vanishes": gone, "z/dirs/in": gone, "z/grows": changed, "z/shrinks": changed}, warned)
			for name, want := range map[string]string{"vanishes": "old", "grows": large + "more", "shrinks": large[:1000]} {
				got, err := os.ReadFile(filepath.Join(dest, "z", name))
				require.NoError(t, err)
				require.True(t, want == string(got), name)
			}
			// The next sync sends what changed.
			require.NoError(t, os.Remove(filepath.Join(z, "pipe")))
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{Delete: true}))
			require.NoError(t, r.Send(within.Soon(t)))
			require.Equal(t, end.view(t, source), end.view(t, dest))
		})
	}
}

func TestSendSourceErrors(t *testing.T) {
	gw := connect(t, pythons.Default(t).Spec())[0]
	at := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(at, nil, 0o600))
	for source, want := range map[string]string{at: "no directory", at + "x": "no such file", "": "no source"} {
		r := New(source)
		require.NoError(t, r.AddTarget(gw, t.TempDir(), TargetOptions{}))
		err := r.Send(within.Soon(t))
		require.ErrorContains(t, err, want)
		require.Equal(t, 1, strings.Count(err.Error(), want))
		require.ErrorIs(t, r.Results()[0].Err, err)
	}
	require.ErrorIs(t, New(at).Send(within.Soon(t)), ErrNoTargets)
}

// A target that fails is named, and the others complete.
func TestSendFailingTargets(t *testing.T) {
	source := t.TempDir()
	grow(t, source, nodes{"a": file("a"), "sub/b": file(strings.Repeat("b", 1<<20))})
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			gws := connect(t, end.spec, end.spec, end.spec)
			good, bad := t.TempDir(), filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(bad, nil, 0o600))
			r := New(source)
			finished := 0
			options := TargetOptions{Finished: func() { finished++ }}
			require.NoError(t, r.AddTarget(gws[0], filepath.Join(bad, "dest"), options))
			require.NoError(t, r.AddTarget(gws[1], good, options))
			require.NoError(t, r.AddTarget(gws[2], t.TempDir(), options))
			require.NoError(t, gws[2].Kill())
			err := r.Send(within.Soon(t))
			var failed *TargetError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, gws[0].ID(), failed.Gateway)
			require.Error(t, r.Results()[0].Err)
			require.NoError(t, r.Results()[1].Err)
			require.Error(t, r.Results()[2].Err)
			require.Equal(t, end.view(t, source), end.view(t, good))
			require.Equal(t, 1, finished)
		})
	}
}

func TestSendCanceled(t *testing.T) {
	source := t.TempDir()
	grow(t, source, nodes{"a": file(strings.Repeat("a", 30<<20))})
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(within.Soon(t))
			r := &RSync{Source: source, Delta: DeltaNever}
			r.Callback = func(e Event) {
				if e.Kind == EventSend {
					cancel()
				}
			}
			dest := t.TempDir()
			gw := connect(t, end.spec)[0]
			require.NoError(t, r.AddTarget(gw, dest, TargetOptions{}))
			err := r.Send(ctx)
			require.ErrorIs(t, err, context.Canceled)
			var failed *TargetError
			require.True(t, errors.As(err, &failed))
		})
	}
}

// TestSendTimesOutOfRange has files of the year 2400, which the protocol cannot tell. A second sync
// finds nothing to do.
func TestSendTimesOutOfRange(t *testing.T) {
	source, dest := t.TempDir(), t.TempDir()
	grow(t, source, nodes{"late": file("l")})
	// os.Chtimes cannot do that.
	require.NoError(t, exec.Command("touch", "-t", "240001010000", filepath.Join(source, "late")).Run())
	for _, end := range farEnds(t) {
		gw := connect(t, end.spec)[0]
		r := New(source)
		for range 2 {
			require.NoError(t, r.AddTarget(gw, filepath.Join(dest, end.name), TargetOptions{}))
			require.NoError(t, r.Send(within.Soon(t)))
		}
		if end.name != "python2" { // whose times are inexact
			require.Zero(t, r.Results()[0].Stats)
		}
		info, err := os.Stat(filepath.Join(dest, end.name, "late"))
		require.NoError(t, err)
		require.Equal(t, 2262, info.ModTime().UTC().Year())
	}
}

// TestSendRenamedSource renames the source while it is walked: what cannot be found any more is not
// taken for deleted.
func TestSendRenamedSource(t *testing.T) {
	for _, end := range farEnds(t) {
		t.Run(end.name, func(t *testing.T) {
			base := t.TempDir()
			source, dest := filepath.Join(base, "source"), filepath.Join(base, "dest")
			grow(t, source, nodes{"a": file("a"), "sub/b": file("b")})
			grow(t, dest, nodes{"a": file("a"), "sub/b": file("b"), "c": file("c")})
			before := end.view(t, dest)
			var once sync.Once
			r := New(source)
			r.Filter = func(string) bool {
				once.Do(func() { require.NoError(t, os.Rename(source, source+" elsewhere")) })
				return true
			}
			require.NoError(t, r.AddTarget(connect(t, end.spec)[0], dest, TargetOptions{Delete: true}))
			_ = r.Send(within.Soon(t)) // whether that is an error is a matter of when it happens
			require.Equal(t, before, end.view(t, dest))
		})
	}
}
