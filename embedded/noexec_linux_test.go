package embedded

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// prepareDisk puts a file system without programs where the user's cache folder is, if the test
// that has started this process wants one.
func prepareDisk() error {
	if os.Getenv("EMBEDDED_TEST_DISK") != "noexec" {
		return nil
	}
	return unix.Mount("tmpfs", os.Getenv("XDG_CACHE_HOME"), "tmpfs", unix.MS_NOEXEC, "size=200m")
}

func TestAFileSystemWithoutPrograms(t *testing.T) {
	cache := t.TempDir()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(within.Time(t, 2*time.Minute), program)
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_UNPACK=1", "EMBEDDED_TEST_DISK=noexec", "XDG_CACHE_HOME="+cache)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	said, err := cmd.CombinedOutput()
	require.NoError(t, err)
	assert.Regexp(t, "^execnet: cannot unpack into "+cache+`/go-execnet/python-[0-9a-f]+: a program there cannot be started, as where a `+
		`file system is mounted with noexec \(permission denied\); set XDG_CACHE_HOME to another folder of your own, .*\n$`, string(said))
}
