//go:build unix

package deploy

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// account is a user's account on a host, of which this machine plays the role: folders of its own,
// and a login shell.
type account struct {
	Host
	home, tmp, bin string
	shell          []string // gets a command line as its last argument
	env            []string
	stderr         textbuffer.Buffer

	mu      sync.Mutex // guards what follows
	uploads int        // how many have begun
	noise   string
}

// tools are the programs of a host. The scripts need no others.
var tools = []string{"sh", "id", "uname", "ls", "mkdir", "cat", "chmod", "mv", "rm", "find", "touch", "sha256sum", "gzip"}

// newAccount makes an account with a POSIX shell, and with all of tools that are named.
func newAccount(t *testing.T, with ...string) *account {
	t.Helper()
	a := &account{home: t.TempDir(), tmp: t.TempDir(), bin: t.TempDir(), shell: []string{"sh", "-c"}}
	require.NoError(t, os.Chmod(a.tmp, os.ModeSticky|0o777))
	for _, tool := range with {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(a.bin, tool)))
	}
	a.env = []string{"HOME=" + a.home, "TMPDIR=" + a.tmp, "PATH=" + a.bin, "LC_ALL=C"}
	a.Name = "box"
	a.Run = func(_ context.Context, script Script) (gatewaybase.IO, error) {
		shell, err := exec.LookPath(a.shell[0])
		if err != nil {
			return nil, err
		}
		if strings.Contains(script.Text, ".upload-") {
			a.mu.Lock()
			a.uploads++
			a.mu.Unlock()
		}
		argv := append(append([]string{shell}, a.shell[1:]...), Command(script.Text))
		return process.Start(argv, a.env, &a.stderr)
	}
	a.Printed = func(noise []byte) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.noise += string(noise)
	}
	return a
}

// cache is the first folder for programs.
func (a *account) cache() string { return filepath.Join(a.home, ".cache/go-execnet/programs") }

// second is the second folder for programs.
func (a *account) second() string {
	return filepath.Join(a.tmp, fmt.Sprintf("go-execnet-%d", os.Getuid()))
}

// files are the names in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// echo is a program that any platform runs: it shows its arguments and a line of its stdin.
const echo = "#!/bin/sh\nread line\necho \"$@\" got $line\n"

// newSet makes a file of a program and returns it with its path.
func newProgramSet(t *testing.T, content string) (*Set, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my prog")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	s, err := File(path)
	require.NoError(t, err)
	return s, path
}

// requireStarts starts the program and speaks to it.
func (a *account) requireStarts(t *testing.T, s *Set) {
	t.Helper()
	pipe, err := a.Start(within.Soon(t), s, []string{"-u", "import sys;exec(eval(x))"})
	require.NoError(t, err)
	_, err = io.WriteString(pipe, "hello\n")
	require.NoError(t, err)
	said, err := io.ReadAll(pipe)
	require.NoError(t, err)
	assert.Equal(t, "-u import sys;exec(eval(x)) got hello\n", string(said))
	end(pipe)
}

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

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

// TestInterruptedUpload ends uploads at their beginning, in the middle and near the end. Nothing is
// left, and the program is not there.
func TestInterruptedUpload(t *testing.T) {
	random, err := exec.Command("head", "-c", "3000000", "/dev/urandom").Output()
	require.NoError(t, err)
	s, _ := newProgramSet(t, echo+"exit\n#"+string(random))
	for _, packed := range []bool{true, false} {
		for _, after := range []int64{1, 1 << 20, 2 << 20} {
			a := newAccount(t, tools...)
			if !packed {
				require.NoError(t, os.Remove(filepath.Join(a.bin, "gzip")))
			}
			ctx, cancel := context.WithCancelCause(within.Soon(t))
			a.Progress = func(sent, _ int64) {
				if sent >= after {
					cancel(fmt.Errorf("pulled the plug"))
				}
			}
			_, err := a.Start(ctx, s, nil)
			require.ErrorContains(t, err, "execnet: putting the program on box: pulled the plug")
			require.Eventually(t, func() bool {
				left := files(t, a.cache())
				return len(left) == 0 || len(left) == 1 && strings.HasPrefix(left[0], ".upload-")
			}, 20*time.Second, 10*time.Millisecond)
			a.Progress = nil
			a.requireStarts(t, s)
		}
	}
}

// TestHungUpHost has a host that sees its stdin end in the middle, as when the driver was killed.
func TestHungUpHost(t *testing.T) {
	s, path := newProgramSet(t, echo+strings.Repeat("#\n", 100000))
	for _, packed := range []bool{true, false} {
		a := newAccount(t, tools...)
		pipe, err := a.Run(within.Soon(t), Script{Text: s.putScript("mark", s.programs[0], 0, packed)})
		require.NoError(t, err)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		if packed {
			content = gzipped(newWriter(gzip.BestSpeed), content)
		}
		_, err = pipe.Write(content[:len(content)/2])
		require.NoError(t, err)
		require.NoError(t, pipe.CloseWrite())
		said, err := io.ReadAll(pipe)
		require.NoError(t, err)
		assert.Contains(t, string(said), "mark failed "+a.cache()+": ")
		end(pipe)
		assert.Empty(t, files(t, a.cache()))
	}
}

// TestPacker has pieces of both kinds in one upload: those that were compressed before their turn,
// and those that were not.
func TestPacker(t *testing.T) {
	content := echo + "exit\n" + strings.Repeat("#\n", 2*pieceSize)
	s, _ := newProgramSet(t, content)
	p := s.programs[0]
	k := p.startPacker()
	k.mu.Lock()
	k.first, k.sent = time.Now().Add(-time.Hour), 1 // a slow network
	k.mu.Unlock()
	k.running.Wait()
	assert.Same(t, k.packing, p.packing(), "another upload at the same time uses what is compressed")
	k.mu.Lock()
	assert.Len(t, k.pieces, 5)
	delete(k.pieces, 1)
	delete(k.pieces, 4)
	k.mu.Unlock()
	a := newAccount(t, tools...)
	pipe, answer, _, err := a.ask(within.Soon(t), Script{Text: s.putScript("mark", p, 0, true), Mark: "mark"}, func(pipe gatewaybase.IO) error {
		return a.send(t.Context(), pipe, p, k)
	})
	require.NoError(t, err)
	end(pipe)
	assert.Contains(t, answer, "done ")
	a.requireStarts(t, s)
	assert.Less(t, len(k.take(0, []byte(content)[:pieceSize])), pieceSize/10)
	assert.Greater(t, len(k.take(1, []byte(content)[pieceSize:][:pieceSize])), pieceSize)

	// What was sent is not compressed any more.
	late := newPacker(&packing{pieces: map[int][]byte{}, begun: map[int]bool{}})
	late.take(0, []byte(content))
	late.first, late.sent = time.Now().Add(-time.Hour), 1
	require.NoError(t, late.pack(0, nil))
	assert.Empty(t, late.pieces)
	late.stop()
	assert.ErrorIs(t, late.pack(1, nil), errStopped)
}

// TestCompressingPays has networks of several speeds.
func TestCompressingPays(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		sent  int64
		after time.Duration
		pays  bool
	}{
		{0, time.Hour, false},                    // nothing is known
		{2 << 20, time.Millisecond, false},       // buffers were filled
		{2 << 20, 290 * time.Millisecond, false}, // perhaps the far end is still starting
		{6 << 20, 300 * time.Millisecond, true},  // as over 50 ms each way
		{1 << 20, time.Second, true},
		{20 << 20, 300 * time.Millisecond, false}, // as on one machine
	} {
		k := packing{first: begin, sent: c.sent}
		assert.Equal(t, c.pays, k.pays(begin.Add(c.after)), "%d bytes in %v", c.sent, c.after)
	}
}

func TestManyDrivers(t *testing.T) {
	s, _ := newProgramSet(t, echo+strings.Repeat("#\n", 100000))
	a := newAccount(t, tools...)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			path, err := a.Put(within.Soon(t), s)
			assert.NoError(t, err)
			assert.Equal(t, filepath.Join(a.cache(), s.programs[0].fileName(s.name)), path)
		})
	}
	all.Wait()
	assert.Len(t, files(t, a.cache()), 1)
	a.requireStarts(t, s)
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

// saysItIs makes uname say what the host is.
func (a *account) saysItIs(t *testing.T, system string) {
	t.Helper()
	name := filepath.Join(a.bin, "uname")
	_ = os.Remove(name)
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\necho "+system+"\n"), 0o755))
}

// header is the beginning of an ELF file.
func header(abi byte, machine uint16) string {
	h := append([]byte("\x7fELF"), 2, 1, 1, abi)
	return string(append(append(h, make([]byte, 10)...), byte(machine), byte(machine>>8)))
}

// The kinds of processors in ELF files.
const amd64, arm64, riscv64 = 62, 183, 243

// TestOtherPlatforms has hosts whose uname says what they are.
func TestOtherPlatforms(t *testing.T) {
	a := newAccount(t, tools...)
	path := filepath.Join(t.TempDir(), "prog")
	require.NoError(t, os.WriteFile(path, []byte(header(0, amd64)+path), 0o755))
	require.NoError(t, os.WriteFile(path+"-linux-arm64", []byte(header(0, arm64)+path), 0o755))
	require.NoError(t, os.WriteFile(path+"-freebsd-amd64", []byte(header(9, amd64)+path), 0o755))
	require.NoError(t, os.WriteFile(path+"-darwin-arm64", []byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01............"), 0o755))
	s, err := File(path)
	require.NoError(t, err)
	for says, build := range map[string]string{
		"Linux x86_64": "", "Linux aarch64": "-linux-arm64", "FreeBSD amd64": "-freebsd-amd64", "Darwin arm64": "-darwin-arm64",
	} {
		a.saysItIs(t, says)
		there, err := a.Put(within.Soon(t), s)
		require.NoError(t, err, says)
		want, err := os.ReadFile(path + build)
		require.NoError(t, err)
		got, err := os.ReadFile(there)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), says)
	}
	a.saysItIs(t, "Linux riscv64")
	_, err = a.Put(within.Soon(t), s)
	require.ErrorIs(t, err, errNoBuild)
	assert.ErrorContains(t, err, `execnet: cannot put the program on box: it is "Linux riscv64" there, and prog is built for linux/amd64, darwin/arm64, freebsd/amd64, linux/arm64; `+
		"there is no "+path+"-linux-riscv64: make it by GOOS=linux GOARCH=riscv64 CGO_ENABLED=0 go build -o "+path+"-linux-riscv64 ")
	a.saysItIs(t, "MINGW64_NT-10.0 x86_64")
	_, err = a.Put(within.Soon(t), s)
	assert.ErrorContains(t, err, `it is "MINGW64_NT-10.0 x86_64" there`)
	assert.ErrorContains(t, err, "Go has no name for that system and processor")

	require.NoError(t, os.WriteFile(path+"-linux-riscv64", []byte(header(0, amd64)+path), 0o755))
	_, err = File(path)
	assert.EqualError(t, err, "execnet: "+path+"-linux-riscv64 is no program for linux/riscv64 but for linux/amd64")
}

// TestBuilds has builds of this program in an fs.FS, of which the right one is brought.
func TestBuilds(t *testing.T) {
	t.Cleanup(func() { registered.builds = nil })
	content := header(0, riscv64) + "for another processor"
	AddBuilds(fstest.MapFS{
		"builds/agent-linux-riscv64": {Data: []byte(content)}, "builds/README": {Data: []byte("no program")}, "linux-arm64": {Data: []byte(header(0, arm64))},
	})
	s, err := Self()
	require.NoError(t, err)
	a := newAccount(t, tools...)
	a.saysItIs(t, "Linux riscv64")
	there, err := a.Put(within.Soon(t), s)
	require.NoError(t, err)
	got, err := os.ReadFile(there)
	require.NoError(t, err)
	assert.Equal(t, content, string(got))
	assert.Equal(t, s.name+"-"+sum(content), filepath.Base(there))
	a.saysItIs(t, "Linux aarch64")
	_, err = a.Put(within.Soon(t), s)
	require.NoError(t, err)
	a.saysItIs(t, "Linux s390x")
	_, err = a.Put(within.Soon(t), s)
	require.ErrorIs(t, err, errNoBuild)
	assert.ErrorContains(t, err, "GOOS=linux GOARCH=s390x CGO_ENABLED=0 go build -o "+s.beside+"-linux-s390x "+s.mainPath+", or give it to worker.Builds")

	AddBuilds(fstest.MapFS{"agent-linux-s390x": {Data: []byte(content)}})
	_, err = Self()
	assert.EqualError(t, err, "execnet: agent-linux-s390x is no program for linux/s390x but for linux/riscv64")
}
