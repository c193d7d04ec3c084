//go:build unix

package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestAnotherPlace has places that do not take the program, for each reason. It then goes to the
// next one, and is found there.
func TestAnotherPlace(t *testing.T) {
	s, _ := newProgramSet(t, echo)
	for name, c := range map[string]struct {
		prepare func(t *testing.T, a *account)
		says    string
	}{
		"a file in its way": {func(t *testing.T, a *account) {
			require.NoError(t, os.WriteFile(filepath.Join(a.home, ".cache"), nil, 0o600))
		}, "mkdir: "},
		"others can write": {func(t *testing.T, a *account) {
			require.NoError(t, os.MkdirAll(a.cache(), 0o700))
			require.NoError(t, os.Chmod(a.cache(), 0o777))
		}, "it must be a folder of user " + fmt.Sprint(os.Getuid()) + " with mode 0700; it has drwxrwxrwx"},
		"a link": {func(t *testing.T, a *account) {
			elsewhere := t.TempDir()
			require.NoError(t, os.Chmod(elsewhere, 0o700))
			require.NoError(t, os.MkdirAll(filepath.Dir(a.cache()), 0o700))
			require.NoError(t, os.Symlink(elsewhere, a.cache()))
		}, "it has lrwxrwxrwx"},
		"no rename": {func(t *testing.T, a *account) {
			require.NoError(t, os.Remove(filepath.Join(a.bin, "mv")))
			script := "#!/bin/sh\ncase $PWD in *.cache*) echo mv: cannot move >&2; exit 1;; esac\nexec /bin/mv \"$@\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(a.bin, "mv"), []byte(script), 0o755))
		}, "mv: cannot move"},
		"bytes that change": {func(t *testing.T, a *account) {
			require.NoError(t, os.Remove(filepath.Join(a.bin, "sha256sum")))
			script := "#!/bin/sh\ncase $PWD in *.cache*) echo 0123; exit;; esac\nexec /usr/bin/sha256sum \"$@\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(a.bin, "sha256sum"), []byte(script), 0o755))
		}, "the bytes that came are not those that were sent"},
		"no more than 0 bytes": {func(t *testing.T, a *account) {
			require.NoError(t, os.Remove(filepath.Join(a.bin, "gzip")))
			script := "#!/bin/sh\ncase $PWD in *.cache*) exit;; esac\nexec /bin/gzip \"$@\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(a.bin, "gzip"), []byte(script), 0o755))
		}, fmt.Sprintf("0 of %d bytes are there", len(echo))},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, tools...)
			c.prepare(t, a)
			a.requireStarts(t, s)
			a.requireStarts(t, s)
			assert.Equal(t, []string{"my_prog-" + sum(echo)}, files(t, a.second()))
			assert.Equal(t, 2, a.uploads)
			if info, err := os.Lstat(a.cache()); err == nil && info.IsDir() {
				assert.Empty(t, files(t, a.cache()), "what was begun is left there")
			}

			// With no place left the error tells of all of them.
			require.NoError(t, os.RemoveAll(a.second()))
			require.NoError(t, os.WriteFile(a.second(), nil, 0o600))
			onlyPlaces(t, 2)
			_, err := a.Put(within.Soon(t), s)
			require.ErrorContains(t, err, "execnet: cannot put the program on box: no folder there takes it:\n  "+a.cache()+": ")
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "\n  "+a.second()+": mkdir: ")
			assert.ErrorContains(t, err, "\nset XDG_CACHE_HOME or TMPDIR there")
		})
	}
}

// TestOddMounts has home folders on file systems that take no program.
func TestOddMounts(t *testing.T) {
	s, _ := newProgramSet(t, echo+"#"+string(bytes.Repeat([]byte("0123456789abcdef"), 1<<14)))
	for options, says := range map[string]string{"noexec": "no program can be run there: ", "size=64k": "No space left on device", "ro": "Read-only file system"} {
		t.Run(options, func(t *testing.T) {
			a := newAccount(t, tools...)
			inside := []string{"unshare", "-m", "/bin/sh", "-c", "/bin/mount -t tmpfs -o mode=755," + options + " none $HOME && exec /bin/sh -c \"$1\"", "sh"}
			if out, err := exec.Command(inside[0], "-m", "/bin/sh", "-c", "/bin/mount -t tmpfs none "+a.home).CombinedOutput(); err != nil {
				t.Skipf("this user cannot mount anything (%v: %s); TestAnotherPlace does what can be done without", err, out)
			}
			a.shell = inside
			a.requireStarts(t, s)
			assert.Equal(t, []string{s.programs[0].fileName(s.name)}, files(t, a.second()))
			a.requireStarts(t, s)
			onlyPlaces(t, 1)
			require.NoError(t, os.RemoveAll(a.second()))
			_, err := a.Put(within.Soon(t), s)
			require.ErrorContains(t, err, "no folder there takes it:\n  "+a.cache()+": ")
			assert.ErrorContains(t, err, says)
		})
	}
}

// TestSomebodyElses has programs that others can have put there, which are not started.
func TestSomebodyElses(t *testing.T) {
	s, _ := newProgramSet(t, echo)
	name := "my_prog-" + sum(echo)
	evil := "#!/bin/sh\necho evil\n"
	evil += strings.Repeat("#", len(echo)-len(evil))
	for what, spoil := range map[string]func(t *testing.T, a *account){
		"folder that others can write to": func(t *testing.T, a *account) { require.NoError(t, os.Chmod(a.cache(), 0o770)) },
		"file that others can write to":   func(t *testing.T, a *account) { require.NoError(t, os.Chmod(filepath.Join(a.cache(), name), 0o722)) },
		"link": func(t *testing.T, a *account) {
			require.NoError(t, os.Rename(filepath.Join(a.cache(), name), filepath.Join(a.home, "evil")))
			require.NoError(t, os.Symlink(filepath.Join(a.home, "evil"), filepath.Join(a.cache(), name)))
		},
		"file of another size": func(t *testing.T, a *account) {
			require.NoError(t, os.WriteFile(filepath.Join(a.cache(), name), []byte(evil+"#"), 0o700))
		},
		"file of another user": func(t *testing.T, a *account) {
			if os.Getuid() != 0 {
				t.Skip("only root can give files away")
			}
			require.NoError(t, os.Chown(filepath.Join(a.cache(), name), 4711, 0))
		},
		"folder of another user": func(t *testing.T, a *account) {
			if os.Getuid() != 0 {
				t.Skip("only root can give folders away")
			}
			require.NoError(t, os.Chown(a.cache(), 4711, 0))
		},
	} {
		t.Run(what, func(t *testing.T) {
			a := newAccount(t, tools...)
			require.NoError(t, os.MkdirAll(a.cache(), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(a.cache(), name), []byte(evil), 0o700))
			spoil(t, a)
			a.requireStarts(t, s)
			a.requireStarts(t, s)
		})
	}
	// A folder like /tmp in which others can rename what they like is no place.
	a := newAccount(t, tools...)
	require.NoError(t, os.WriteFile(filepath.Join(a.home, ".cache"), nil, 0o600))
	require.NoError(t, os.Chmod(a.tmp, 0o777))
	onlyPlaces(t, 2)
	_, err := a.Put(within.Soon(t), s)
	assert.ErrorContains(t, err, "others can rename what is in "+a.tmp+", whose mode is drwxrwxrwx")
	assert.Empty(t, files(t, a.second()))
}

// onlyPlaces leaves the first n of the places for the rest of the test.
func onlyPlaces(t *testing.T, n int) {
	all := places
	t.Cleanup(func() { places = all })
	places = places[:n]
}

// TestOldPrograms has programs and uploads that are too old removed, and no others.
func TestOldPrograms(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	program, err := os.ReadFile(sleep)
	require.NoError(t, err)
	a := newAccount(t, tools...)
	require.NoError(t, os.MkdirAll(a.cache(), 0o700))
	aged := func(name string, days int) string {
		path := filepath.Join(a.cache(), name)
		require.NoError(t, os.WriteFile(path, program, 0o700))
		past := time.Now().Add(-time.Duration(days)*24*time.Hour - time.Hour)
		require.NoError(t, os.Chtimes(path, past, past))
		return path
	}
	aged("old-1", keepPrograms+1)
	aged("young-1", keepPrograms)
	aged(".upload-old", keepUploads+1)
	aged(".upload-young", keepUploads)
	running := exec.Command(aged("running-1", keepPrograms+10), "60")
	require.NoError(t, running.Start())
	defer func() { _ = running.Process.Kill(); _ = running.Wait() }()

	s, _ := newProgramSet(t, echo)
	path, err := a.Put(within.Soon(t), s)
	require.NoError(t, err)
	want := []string{".upload-young", filepath.Base(path), "running-1", "young-1"}
	assert.ElementsMatch(t, want, files(t, a.cache()))

	// A start is a use.
	past := time.Now().Add(-keepPrograms * 48 * time.Hour)
	require.NoError(t, os.Chtimes(path, past, past))
	a.requireStarts(t, s)
	other, _ := newProgramSet(t, echo+"#\n")
	a.requireStarts(t, other)
	assert.Contains(t, files(t, a.cache()), filepath.Base(path))
}
