package tree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestMain serves the processes that tests start (see child).
func TestMain(m *testing.M) {
	if do, ok := children[os.Getenv("TREE_TEST_CHILD")]; ok {
		if err := do(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// children are what the processes that tests start do, by name.
var children = map[string]func() error{
	// fill fills the folder "f" slowly, and writes a line that says so.
	"fill": func() error {
		_, err := Folder("f", func(f *Filling) error {
			fmt.Println("filling")
			time.Sleep(300 * time.Millisecond)
			return two(f)
		})
		return err
	},
	// hang begins to fill the folder "f".
	"hang": func() error {
		_, err := Folder("f", func(f *Filling) error {
			err := two(f)
			fmt.Println("filling")
			time.Sleep(time.Hour)
			return err
		})
		return err
	},
}

// child is this program as another process, which does what children has under name.
func child(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(within.Soon(t), program)
	cmd.Env = append(os.Environ(), "TREE_TEST_CHILD="+name)
	cmd.Stderr = t.Output()
	return cmd
}

// cache gives this test a cache folder of its own, and returns this module's folder in it.
func cache(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"} {
		t.Setenv(name, dir)
	}
	base, err := os.UserCacheDir()
	require.NoError(t, err)
	return filepath.Join(base, "go-execnet")
}

// two writes two files and a link.
func two(f *Filling) error {
	if runtime.GOOS != "windows" {
		if err := f.Link("bin/link", "run"); err != nil {
			return err
		}
	}
	return errors.Join(f.Write("bin/run", 0o755, strings.NewReader("run")), f.Write("lib/empty", 0o644, strings.NewReader("")))
}

// never is for folders that are complete.
func never(*Filling) error { return errors.New("it is filled once more") }

func TestFolder(t *testing.T) {
	base := cache(t)
	dir, err := Folder("f", two)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(base, "f"), dir)
	content, err := os.ReadFile(filepath.Join(dir, "bin", "run"))
	require.NoError(t, err)
	assert.Equal(t, "run", string(content))
	again, err := Folder("f", never)
	require.NoError(t, err)
	assert.Equal(t, dir, again)
	if runtime.GOOS != "windows" {
		linked, err := os.ReadFile(filepath.Join(dir, "bin", "link"))
		require.NoError(t, err)
		assert.Equal(t, "run", string(linked))
		for path, mode := range map[string]fs.FileMode{base: 0o700, dir: 0o700, filepath.Join(dir, "bin", "run"): 0o755} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, mode, info.Mode().Perm(), path)
		}
	}
	assert.Equal(t, []string{"lock"}, names(t, filepath.Join(base, beingFilled)))
}

// TestSeveralWriteAtATime has goroutines fill one folder.
func TestSeveralWriteAtATime(t *testing.T) {
	cache(t)
	dir, err := Folder("f", func(f *Filling) error {
		errs := make(chan error)
		for i := range 20 {
			go func() { errs <- f.Write(fmt.Sprintf("lib/%d/file", i%3*100+i), 0o600, strings.NewReader("x")) }()
		}
		var err error
		for range 20 {
			err = errors.Join(err, <-errs)
		}
		return err
	})
	require.NoError(t, err)
	assert.Len(t, names(t, filepath.Join(dir, "lib")), 20)
	_, err = Folder("f", never)
	require.NoError(t, err)
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func TestADamagedFolderIsFilledAnew(t *testing.T) {
	damages := map[string]func(dir string) error{
		"a file is missing":   func(dir string) error { return os.Remove(filepath.Join(dir, "lib", "empty")) },
		"a file is cut":       func(dir string) error { return os.Truncate(filepath.Join(dir, "bin", "run"), 0) },
		"a file is longer":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "bin", "run"), []byte("run it"), 0o700) },
		"the list is missing": func(dir string) error { return os.Remove(filepath.Join(dir, list)) },
		"the list is empty":   func(dir string) error { return os.Truncate(filepath.Join(dir, list), 0) },
		"a line is missing": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, list), []byte("2 files\n3 bin/run\n"), 0o600)
		},
		"the list is no list": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, list), []byte("1 files\nx bin/run\n"), 0o600)
		},
		"the folder is empty":   func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)) },
		"the folder is a file":  func(dir string) error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) },
		"the folder is removed": os.RemoveAll,
	}
	if runtime.GOOS != "windows" {
		damages["others can write"] = func(dir string) error { return os.Chmod(dir, 0o777) }
		damages["a link is missing"] = func(dir string) error { return os.Remove(filepath.Join(dir, "bin", "link")) }
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			base := cache(t)
			dir, err := Folder("f", two)
			require.NoError(t, err)
			require.NoError(t, damage(dir))
			_, err = Folder("f", two)
			require.NoError(t, err)
			_, err = Folder("f", never)
			require.NoError(t, err)
			assert.Equal(t, []string{"lock"}, names(t, filepath.Join(base, beingFilled)))
			content, err := os.ReadFile(filepath.Join(dir, "bin", "run"))
			require.NoError(t, err)
			assert.Equal(t, "run", string(content))
		})
	}
}

func TestSeveralProcessesFillItOnce(t *testing.T) {
	cache(t)
	var all []*exec.Cmd
	var said []*strings.Builder
	for range 5 {
		cmd, out := child(t, "fill"), new(strings.Builder)
		cmd.Stdout = out
		require.NoError(t, cmd.Start())
		all, said = append(all, cmd), append(said, out)
	}
	fills := ""
	for i, cmd := range all {
		assert.NoError(t, cmd.Wait(), "%s", said[i])
		fills += said[i].String()
	}
	assert.Equal(t, "filling\n", fills)
	_, err := Folder("f", never)
	assert.NoError(t, err)
}

func TestWhatAKilledProcessLeavesIsRemoved(t *testing.T) {
	base := cache(t)
	cmd := child(t, "hang")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("filling\n")))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	assert.Len(t, names(t, filepath.Join(base, beingFilled)), 2, "the lock and what was left")
	assert.NoDirExists(t, filepath.Join(base, "f"))

	_, err = Folder("f", two)
	require.NoError(t, err)
	assert.Equal(t, []string{"lock"}, names(t, filepath.Join(base, beingFilled)))
}

// TestWithoutTheLock is about a process that waits in vain for one that is stopped.
func TestWithoutTheLock(t *testing.T) {
	base := cache(t)
	_, err := Folder("f", two)
	require.NoError(t, err)
	work := filepath.Join(base, beingFilled)
	lock := flock.New(filepath.Join(work, "lock"))
	require.NoError(t, lock.Lock())
	defer lock.Close()
	for _, name := range []string{"f-1", "f-2", alone + "f-3", alone + "f-4"} {
		require.NoError(t, os.Mkdir(filepath.Join(work, name), 0o700))
	}
	old := time.Now().Add(-2 * leftoverAge)
	for _, name := range []string{"f-1", alone + "f-3"} {
		require.NoError(t, os.Chtimes(filepath.Join(work, name), old, old))
	}
	defer func(before time.Duration) { longestWait = before }(longestWait)
	longestWait = 50 * time.Millisecond
	_, err = Folder("g", func(f *Filling) error {
		assert.Len(t, names(t, work), 4, "what others may be filling stays, and this one has come")
		return two(f)
	})
	require.NoError(t, err)
	require.NoError(t, lock.Unlock())
	_, err = Folder("h", two)
	require.NoError(t, err)
	assert.Equal(t, []string{alone + "f-4", "lock"}, names(t, work))
}

// TestAnotherOneWasFaster has the folder filled by another process meanwhile.
func TestAnotherOneWasFaster(t *testing.T) {
	base := cache(t)
	dir, err := Folder("f", func(f *Filling) error {
		if err := filled(mkdir(t, filepath.Join(base, "f")), f.Dir, two); err != nil {
			return err
		}
		return f.Write("late", 0o600, strings.NewReader(""))
	})
	require.NoError(t, err)
	assert.NoFileExists(t, filepath.Join(dir, "late"))
	assert.Equal(t, []string{"lock"}, names(t, filepath.Join(base, beingFilled)))
}

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

func TestNamesStayInTheFolder(t *testing.T) {
	base := cache(t)
	for _, name := range []string{"../x", "/x", "a/../../x", "", ".", "a//b", "x\ny", "twice", list} {
		_, err := Folder("f", func(f *Filling) error {
			if err := f.Write("twice", 0o600, strings.NewReader("")); err != nil {
				return err
			}
			return f.Write(name, 0o600, strings.NewReader("x"))
		})
		assert.Error(t, err, "%q", name)
		assert.NoDirExists(t, filepath.Join(base, "f"))
	}
	if runtime.GOOS == "windows" {
		return // makes no links
	}
	outside := t.TempDir()
	_, err := Folder("f", func(f *Filling) error {
		if err := f.Link("out", outside); err != nil {
			return err
		}
		return f.Write("out/x", 0o600, strings.NewReader("x"))
	})
	assert.Error(t, err)
	assert.Empty(t, names(t, outside))
}

func TestAFailureLeavesNothing(t *testing.T) {
	base := cache(t)
	cause := errors.New("execnet: the source is damaged")
	_, err := Folder("f", func(f *Filling) error {
		if err := two(f); err != nil {
			return err
		}
		return cause
	})
	assert.Equal(t, cause, err)
	_, err = Folder("f", func(f *Filling) error {
		if err := two(f); err != nil {
			return err
		}
		return fmt.Errorf("execnet: x in y: %w", &fs.PathError{Op: "write", Path: "x", Err: errors.New("the disk smells")})
	})
	var failed *Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, filepath.Join(base, "f"), failed.Folder)
	assert.Equal(t, "execnet: cannot unpack into "+filepath.Join(base, "f")+": the disk smells; set "+variable()+
		" to another folder of your own, which has room, can be written to and may hold programs", err.Error())
	assert.Equal(t, []string{"lock"}, names(t, filepath.Join(base, beingFilled)))
}

func TestNoCacheFolder(t *testing.T) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"} {
		t.Setenv(name, "")
	}
	_, err := Folder("f", two)
	assert.ErrorContains(t, err, "execnet: cannot unpack into f: ")
	assert.ErrorContains(t, err, "; set "+variable()+" to another folder")
}
