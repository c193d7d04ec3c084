package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// inRoot becomes a program in another root folder, with the devices of this one.
func inRoot(root string, argv []string) error {
	for _, name := range []string{"/dev", "/proc"} {
		if err := unix.Mount(name, root+name, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("cannot mount %s: %w", name, err)
		}
	}
	if err := unix.Chroot(root); err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return syscall.Exec(argv[0], argv, []string{"PATH=/bin", "HOME=/home", "XDG_CACHE_HOME=/cache"})
}

// bareRoot makes a root folder that has this program and nothing else.
func bareRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"dev", "proc", "tmp", "home", "cache"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, name), 0o700))
	}
	copyFile(t, binary, filepath.Join(root, "execnet-full"))
	return root
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	require.NoError(t, err)
	defer source.Close()
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	// A child forked meanwhile would hold the program open for writing.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dest, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(dest, source)
	require.NoError(t, err)
	require.NoError(t, dest.Close())
}

// execIn is the command "execnet-full exec" in a root folder.
func execIn(t *testing.T, root, spec string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(within.Time(t, 2*time.Minute), self, "/execnet-full", "exec", "--tx", spec, "-c", program)
	cmd.Env = append(os.Environ(), "FULL_TEST_ROOT="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	return cmd
}

// TestABareHost runs a program where there is nothing but the C library.
func TestABareHost(t *testing.T) {
	root := bareRoot(t)
	// All libraries that the interpreter needs come with the C library.
	libraries, err := exec.Command("ldd", "/bin/sh").Output()
	require.NoError(t, err)
	found := regexp.MustCompile(`(/\S*/)(?:libc|ld-linux)\S*\.so\S*`).FindAllSubmatch(libraries, -1)
	require.Len(t, found, 2, "%s", libraries)
	for _, library := range found {
		copyFile(t, string(library[0]), root+string(library[0]))
		for _, name := range []string{"libpthread.so.0", "libdl.so.2", "libutil.so.1", "librt.so.1", "libm.so.6"} {
			if path := string(library[1]) + name; exists(path) && !exists(root+path) {
				copyFile(t, path, root+path)
			}
		}
	}
	for _, spec := range []string{"popen//python=embedded", "popen", "popen//python=/execnet-full worker"} {
		stdout, stderr, err := runFull(t, execIn(t, root, spec))
		require.NoError(t, err, "%s: %s", spec, stderr)
		assert.Equal(t, `{"gateway": "gw0", "item": [[3, 14], 42]}`+"\n", stdout, spec)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestWithoutTheCLibrary says what is missing.
func TestWithoutTheCLibrary(t *testing.T) {
	_, stderr, err := runFull(t, execIn(t, bareRoot(t), "popen//python=embedded"))
	require.Error(t, err)
	assert.Regexp(t, `^\[gw0\] cannot start popen//python=embedded: the Python inside this program needs the GNU C library, `+
		`and this system does not have it: stat /lib\S+: no such file or directory\n$`, stderr)
}
