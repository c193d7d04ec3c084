package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func init() {
	children["full disk"] = func() error { return onDisk(0, "size=256k") }
	children["read-only disk"] = func() error { return onDisk(unix.MS_RDONLY, "") }
}

// onDisk fills a folder on a file system of its own.
func onDisk(flags uintptr, options string) error {
	disk := os.Getenv("XDG_CACHE_HOME")
	if err := unix.Mount("tmpfs", disk, "tmpfs", flags, options); err != nil {
		return fmt.Errorf("cannot mount: %w", err)
	}
	_, err := Folder("f", func(f *Filling) error {
		for i := range 100 {
			if err := f.Write(fmt.Sprintf("file%d", i), 0o600, strings.NewReader(strings.Repeat("x", 10000))); err != nil {
				return err
			}
		}
		return nil
	})
	left, _ := filepath.Glob(disk + "/go-execnet/unpacking/f-*")
	return fmt.Errorf("%w\nleft: %q", err, left)
}

// TestDisks fills a folder on disks that cannot hold it, in a process that sees a file system that
// nobody else sees.
func TestDisks(t *testing.T) {
	for name, reason := range map[string]string{"full disk": "no space left on device", "read-only disk": "read-only file system"} {
		t.Run(name, func(t *testing.T) {
			base := cache(t)
			cmd := child(t, name)
			ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			groups := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS, UidMappings: ids, GidMappings: groups}
			said, err := cmd.Output()
			require.Error(t, err)
			assert.Equal(t, "execnet: cannot unpack into "+filepath.Join(base, "f")+": "+reason+
				"; set XDG_CACHE_HOME to another folder of your own, which has room, can be written to and may hold programs\nleft: []\n", string(said))
		})
	}
}
