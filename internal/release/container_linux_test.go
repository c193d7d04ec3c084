package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the Containerfile copies is in the archive, and the program runs with nothing else around
// it.
func TestContainer(t *testing.T) {
	t.Parallel()
	name := "execnet-" + version + "-container"
	folder := filepath.Join(unpack(t, filepath.Join(dist(t), name)), name)
	text, err := os.ReadFile(filepath.Join(folder, "Containerfile"))
	require.NoError(t, err)
	image := t.TempDir()
	copied := 0
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(strings.ReplaceAll(line, "${TARGETARCH}", here.arch))
		if len(words) < 3 || words[0] != "COPY" {
			continue
		}
		copied++
		from, to := words[len(words)-2], words[len(words)-1]
		from, to = filepath.Join(folder, from), filepath.Join(image, to)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		args := []string{"-a", from, to}
		if info, err := os.Stat(from); assert.NoError(t, err, line) && info.IsDir() {
			require.NoError(t, os.MkdirAll(to, 0o755))
			args = []string{"-a", from + "/.", to}
		}
		out, err := exec.Command("cp", args...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	assert.Equal(t, 4, copied)
	for _, path := range []string{"usr/share/doc/execnet/LICENSE", "usr/share/doc/execnet/sbom.cdx.json", "etc/passwd", "home/execnet/.config", "tmp"} {
		_, err := os.Stat(filepath.Join(image, path))
		assert.NoError(t, err)
	}
	if os.Geteuid() != 0 {
		return // only root can change the root folder
	}
	cmd := exec.Command("/usr/bin/execnet", "--version")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: image}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), tag)
}
