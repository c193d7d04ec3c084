//go:build unix

package rsync

import (
	"crypto/md5"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// referenceSpec is a worker with Python's own execnet.
func referenceSpec(t *testing.T) string {
	t.Helper()
	return "popen//bootstrap=import//python=" + pythons.WithExecnet(t)
}

// Python's execnet deletes what is not announced. What could not be read or announced must stay
// there all the same.
func TestReferenceDeletesOnlyWhatIsGone(t *testing.T) {
	socket := func(t *testing.T, at string) { require.NoError(t, syscall.Mkfifo(at, 0o600)) }
	latinLink := func(t *testing.T, at string) { require.NoError(t, os.Symlink("caf\xe9", at)) }
	write := func(t *testing.T, at string) { require.NoError(t, os.WriteFile(at, nil, 0o600)) }
	unreadable := "left as it is there: not all of it could be read, and Python's execnet would delete the rest"
	unnamable := "left as it is there: it holds names that are not UTF-8, and Python's execnet would delete the rest"
	spec := referenceSpec(t)
	for name, test := range map[string]struct {
		before func(t *testing.T, source string) // before the sync
		// Called when b has been announced and is about to be listed.
		during func(t *testing.T, source string)
		kept   string // a file at the target that is not in the source
		wrong  string // what the target has to say of b
		lost   bool   // the source has something that could not be read
	}{
		"nothing special":     {},
		"a pipe, there a dir": {before: func(t *testing.T, source string) { socket(t, filepath.Join(source, "b", "k")) }, kept: "b/k/x"},
		"a link that cannot be told": {
			before: func(t *testing.T, source string) { latinLink(t, filepath.Join(source, "b", "k")) }, kept: "b/k/x", lost: true,
		},
		"a name that cannot be told": {
			before: func(t *testing.T, source string) { write(t, filepath.Join(source, "b", "\xff")) }, kept: "b/k/x", wrong: unnamable, lost: true,
		},
		"a pipe's name that cannot be told": {
			before: func(t *testing.T, source string) { socket(t, filepath.Join(source, "b", "\xff")) }, kept: "b/k/x", wrong: unnamable,
		},
		"a folder that cannot be read": {
			during: func(t *testing.T, source string) {
				require.NoError(t, os.RemoveAll(filepath.Join(source, "b")))
				write(t, filepath.Join(source, "b")) // no more a folder; even root cannot list it
			},
			kept: "b/k/x", wrong: unreadable, lost: true,
		},
		"a tree that has moved": {
			during: func(t *testing.T, source string) {
				require.NoError(t, os.Rename(source, source+" elsewhere"))
				t.Cleanup(func() { require.NoError(t, os.Rename(source+" elsewhere", source)) })
			},
			kept: "b/k/x", wrong: unreadable,
		},
		"a folder that has vanished": {
			during: func(t *testing.T, source string) { require.NoError(t, os.RemoveAll(filepath.Join(source, "b"))) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, base := filepath.Join(t.TempDir(), "source"), t.TempDir()
			grow(t, source, nodes{"a/first": file("a"), "b/here": file("b"), "b/link": link("here"), "c": file("c")})
			if test.before != nil {
				test.before(t, source)
			}
			r := New(source)
			r.Filter = func(path string) bool {
				if filepath.Base(path) == "first" && test.during != nil {
					test.during(t, source)
				}
				return true
			}
			dests := []string{filepath.Join(base, "deleting"), filepath.Join(base, "keeping")}
			for i, gw := range connect(t, spec, spec) {
				grow(t, dests[i], nodes{"b/k/x": file("x"), "gone": file("g")})
				require.NoError(t, r.AddTarget(gw, dests[i], TargetOptions{Delete: i == 0}))
			}
			err := r.Send(within.Soon(t))
			var lost *SourceError
			require.Equal(t, test.lost, errors.As(err, &lost), "%v", err)
			require.NoError(t, r.Results()[1].Err, "nothing is deleted at this target")
			require.FileExists(t, filepath.Join(dests[1], "b/k/x"))

			require.NoFileExists(t, filepath.Join(dests[0], "gone"))
			require.FileExists(t, filepath.Join(dests[0], "c"), "the rest goes on")
			if test.kept != "" {
				require.FileExists(t, filepath.Join(dests[0], test.kept))
			} else {
				require.NoDirExists(t, filepath.Join(dests[0], "b/k"))
			}
			if test.wrong == "" {
				require.NoError(t, r.Results()[0].Err)
				return
			}
			var failed *TargetError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, dests[0], failed.Dest)
			require.NoError(t, failed.Err)
			last := failed.Files[len(failed.Files)-1] // a has moved as well
			require.Equal(t, "b", last.Path)
			require.Contains(t, last.Problem, test.wrong)
			require.NoFileExists(t, filepath.Join(dests[0], "b/link"), "no link comes into what is left alone")
		})
	}
}

// The top itself can be what is left alone.
func TestReferenceLeavesTheTopAlone(t *testing.T) {
	source, dest := t.TempDir(), t.TempDir()
	grow(t, source, nodes{"a": file("a"), "\xff": file("b"), "sub/l": link("m")})
	grow(t, dest, nodes{"mine": file("m")})
	before := survey(t, dest, exactly)
	r := New(source)
	require.NoError(t, r.AddTarget(connect(t, referenceSpec(t))[0], dest, TargetOptions{Delete: true}))
	require.ErrorContains(t, r.Send(within.Soon(t)), `1 failed; .: left as it is there: it holds names that are not UTF-8`)
	require.Equal(t, before, survey(t, dest, exactly))
}

// A file of which the target has another one of the same size, as its checksum in the request
// tells, must not be answered by None unless it is the same or has vanished: the one there would be
// given its time.
func TestReferenceRequestOfUnreadable(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(t *testing.T, at string) // once the file has been announced
		wrong   string
	}{
		"a pipe now": {func(t *testing.T, at string) {
			assert.NoError(t, os.Remove(at))
			assert.NoError(t, syscall.Mkfifo(at, 0o600))
		}, "no regular file"},
		"too large now": {func(t *testing.T, at string) { assert.NoError(t, os.Truncate(at, maxReferenceFile+1)) }, "sends at most 2147483647"},
		"vanished":      {func(t *testing.T, at string) { assert.NoError(t, os.Remove(at)) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := t.TempDir()
			grow(t, source, nodes{"f": file("f")})
			var answers []any
			done := make(chan struct{})
			gw := pretend(t, "//bootstrap=import", func(ch *gatewaybase.Channel) {
				defer close(done)
				for range 3 { // the start, the top and the file
					_, err := ch.Receive(within.Soon(t))
					assert.NoError(t, err)
				}
				test.happens(t, filepath.Join(source, "f"))
				say := func(what string, with any) { assert.NoError(t, ch.Send(t.Context(), serializer.Tuple{what, with})) }
				say("send", serializer.Tuple{[]any{"f"}, make([]byte, md5.Size)})
				say("list_done", nil)
				for v := range ch.Items(within.Soon(t)) {
					answers = append(answers, v)
					if v == nil {
						say("ack", "f")
						say("links", nil)
					} else {
						say("done", nil)
						return
					}
				}
			})
			good := t.TempDir()
			r := New(source)
			require.NoError(t, r.AddTarget(gw, "dest", TargetOptions{}))
			require.NoError(t, r.AddTarget(connect(t, referenceSpec(t))[0], good, TargetOptions{}))
			err := r.Send(within.Soon(t))
			require.NoError(t, r.Results()[1].Err, "there is no such file there")
			require.NoFileExists(t, filepath.Join(good, "f"))
			<-done
			if test.wrong == "" {
				require.NoError(t, err)
				require.Equal(t, []any{nil, int64(42)}, answers)
				require.Len(t, r.Results()[0].Warnings, 1)
				return
			}
			require.Empty(t, answers)
			var failed *TargetError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, "dest", failed.Dest)
			require.ErrorContains(t, failed, "f: ")
			require.ErrorContains(t, failed, test.wrong)
			require.ErrorContains(t, failed, "would from now on take")
		})
	}
}

// The same with the real one: the next sync makes it right.
func TestReferenceNeverTakesOldForNew(t *testing.T) {
	source, dest := t.TempDir(), t.TempDir()
	at := filepath.Join(source, "b")
	grow(t, source, nodes{"a": file("a"), "b": fileAt("new", 5e9)})
	grow(t, dest, nodes{"b": fileAt("old", 1e9)})
	before := survey(t, filepath.Join(dest, "b"), exactly)
	r := New(source)
	r.Callback = func(e Event) {
		if e.Kind == EventSend && e.Path == "a" {
			assert.NoError(t, os.Remove(at))
			assert.NoError(t, syscall.Mkfifo(at, 0o600))
		}
	}
	gw := connect(t, referenceSpec(t))[0]
	require.NoError(t, r.AddTarget(gw, dest, TargetOptions{}))
	var failed *TargetError
	require.ErrorAs(t, r.Send(within.Soon(t)), &failed)
	require.Equal(t, before, survey(t, filepath.Join(dest, "b"), exactly))

	r.Callback = nil
	grow(t, source, nodes{"a": file("a"), "b": fileAt("new", 5e9)})
	require.NoError(t, r.AddTarget(gw, dest, TargetOptions{}))
	require.NoError(t, r.Send(within.Soon(t)))
	require.Equal(t, survey(t, source, loosely), survey(t, dest, loosely))
}
