//go:build unix

package forkserver

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// nowhere are three descriptors for a child.
func nowhere(t *testing.T) [3]*os.File {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { null.Close() })
	return [3]*os.File{null, null, null}
}

// TestWhatNoServerTells: a server that tells what cannot be understood is ended, and says so to
// whoever waits for a child.
func TestWhatNoServerTells(t *testing.T) {
	for name, test := range map[string]struct{ tells, want string }{
		"word":     {"echo what is this >&0", `the fork server has told something unknown: "what is this"`},
		"no child": {"echo forked soon >&0", `the fork server has told something unknown: "forked soon"`},
		"all":      {"echo forked -1 >&0", `the fork server has told something unknown: "forked -1"`},
		"no exit":  {"echo exit 7 >&0", `the fork server has told something unknown: "exit 7"`},
		"length":   {"head -c 2000000 /dev/zero >&0", "the fork server has told a line of more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			server := filepath.Join(t.TempDir(), "server")
			require.NoError(t, os.WriteFile(server, []byte("echo 'ready ' >&0\n"+test.tells+"\nexec sleep 1000\n"), 0o600))
			s, err := Start([]string{"/bin/sh", server}, nil, Config{}, t.Output())
			require.NoError(t, err)
			_, err = s.Fork(within.Soon(t), nowhere(t))
			assert.EqualError(t, err, "execnet: "+test.want)
			s.Close()
		})
	}
}

// TestNoDescriptorsLeft: a server without room for the descriptors of a child says so.
func TestNoDescriptorsLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how descriptors are left out differs")
	}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "fewfiles.py"), []byte(`
import os, resource
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 4, free + 4))  # two are for a pipe of the server
`), 0o600))
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			s, err := Start([]string{python.Path}, append(os.Environ(), "PYTHONPATH="+folder), Config{Program: "pass", Modules: []string{"fewfiles"}}, t.Output())
			require.NoError(t, err)
			defer s.Close()
			if _, err = s.Ready(within.Soon(t)); err != nil {
				assert.ErrorAs(t, err, new(*RefusedError)) // Python 2
				return
			}
			_, err = s.Fork(within.Soon(t), nowhere(t))
			assert.EqualError(t, err, "execnet: cannot fork a worker: [Errno 24] Too many open files")
		})
	}
}
