//go:build unix

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestEveryShell puts a program on a host and starts it, with the login shells that people have.
// The second time nothing is uploaded.
func TestEveryShell(t *testing.T) {
	s, _ := newProgramSet(t, echo)
	for _, shell := range []string{"sh", "bash", "dash", "tcsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			_, err := exec.LookPath(shell)
			require.NoError(t, err, ".ci/needs names what the tests need")
			a := newAccount(t, tools...)
			a.shell = []string{shell, "-c"}
			a.requireStarts(t, s)
			assert.Equal(t, []string{"my_prog-" + sum(echo)}, files(t, a.cache()))
			a.requireStarts(t, s)
			assert.Equal(t, 1, a.uploads)
			assert.Empty(t, a.noise)
			assert.Empty(t, a.stderr.String())
			path, err := a.Put(within.Soon(t), s)
			require.NoError(t, err)
			assert.Equal(t, filepath.Join(a.cache(), "my_prog-"+sum(echo)), path)
			for _, name := range []string{a.cache(), path} {
				info, err := os.Stat(name)
				require.NoError(t, err)
				assert.EqualValues(t, 0o700, info.Mode().Perm(), name)
			}
			assert.Equal(t, 1, a.uploads)
		})
	}
}

// TestBusybox has a host whose programs are all those of busybox.
func TestBusybox(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	require.NoError(t, err, ".ci/needs names what the tests need")
	a := newAccount(t)
	for _, tool := range tools {
		require.NoError(t, os.Symlink(busybox, filepath.Join(a.bin, tool)))
	}
	a.shell = []string{busybox, "sh", "-c"}
	s, _ := newProgramSet(t, echo+"exit\n"+strings.Repeat("#\n", 2*pieceSize))
	a.requireStarts(t, s)
	a.requireStarts(t, s)
	assert.Equal(t, 1, a.uploads)
}

// TestFewTools has hosts without gzip, and without a program that computes SHA-256.
func TestFewTools(t *testing.T) {
	s, _ := newProgramSet(t, echo)
	for _, without := range []string{"gzip", "sha256sum", "touch"} {
		var have []string
		for _, tool := range tools {
			if tool != without {
				have = append(have, tool)
			}
		}
		a := newAccount(t, have...)
		a.requireStarts(t, s)
		a.requireStarts(t, s)
		assert.Equal(t, 1, a.uploads, without)
	}
}

func TestPrintingShells(t *testing.T) {
	s, _ := newProgramSet(t, echo)
	a := newAccount(t, tools...)
	rc := filepath.Join(t.TempDir(), "rc")
	require.NoError(t, os.WriteFile(rc, []byte("echo Welcome.; printf 'No newline'\n"), 0o600))
	bash, err := exec.LookPath("bash")
	require.NoError(t, err)
	a.shell = []string{"env", "BASH_ENV=" + rc, bash, "-c"}
	a.requireStarts(t, s)
	assert.Equal(t, "Welcome.\nNo newline", a.noise, "of the last session, once")

	require.NoError(t, os.WriteFile(rc, []byte("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done\n"), 0o600))
	_, err = a.Put(within.Soon(t), s)
	require.ErrorContains(t, err, "execnet: cannot put the program on box: more than 64 KiB came, and no answer")
	assert.ErrorContains(t, err, `it printed "yyyyyyy`)
}

func TestNoShell(t *testing.T) {
	s, _ := newProgramSet(t, echo)
	a := newAccount(t, "cat")
	a.shell = []string{"/bin/sh", "-c"}
	_, err := a.Put(within.Soon(t), s)
	var failed *Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "box", failed.Host)
	assert.ErrorContains(t, err, "its shell has run no sh script to the end (exit status 127); it needs a POSIX shell that is called sh; its stderr ended:\n")
}
