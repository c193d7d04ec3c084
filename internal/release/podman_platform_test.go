//go:build platforms && linux

package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/containers"
)

// podman runs podman, and returns what it prints on stdout.
func podman(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(containers.RunPodman(t, nil, args...))
}

// TestPodmanImage makes the image of the Containerfile, and has a driver log in to its ssh server.
// As process 1 that reaps what workers leave behind, and SIGTERM ends it.
func TestPodmanImage(t *testing.T) {
	name := "execnet-" + version + "-container"
	folder := filepath.Join(unpack(t, filepath.Join(dist(t), name)), name)
	image := "execnet-test-" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		podman(t, "rm", "-f", "-t", "0", "-i", "-v", image)
		podman(t, "rmi", "-f", image)
	})
	podman(t, "build", "--tag", image, "--build-arg", "TARGETARCH="+here.arch, folder)
	options := append([]string{"--network", "host"}, containers.PodmanOptions()...)
	said := podman(t, append(append([]string{"run", "--rm"}, options...), image, "--version")...)
	assert.Contains(t, said, tag)

	key := filepath.Join(t.TempDir(), "key")
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.Chmod(filepath.Dir(key), 0o755)) // the server runs as another user
	podman(t, append(append([]string{"run", "-d", "--name", image}, options...),
		"--volume", key+".pub:/home/execnet/.ssh/authorized_keys:ro", image, "sshserver", "127.0.0.1:0")...)
	port := ""
	require.Eventually(t, func() bool {
		log, err := exec.Command("podman", "logs", image).CombinedOutput() // the server's stderr
		require.NoError(t, err, string(log))
		found := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindStringSubmatch(string(log))
		if found != nil {
			port = found[1]
		}
		return found != nil
	}, time.Minute, 100*time.Millisecond)
	hostKey, err := exec.Command("ssh-keyscan", "-p", port, "127.0.0.1").Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key+"-known", hostKey, 0o600))
	config := key + "-config"
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `Host box
  HostName 127.0.0.1
  Port %s
  User execnet
  IdentityFile %s
  IdentitiesOnly yes
  UserKnownHostsFile %s
`, port, key, key+"-known"), 0o600))

	// A worker that dies leaves a process behind.
	driver := exec.Command(filepath.Join(folder, here.arch, "execnet"), "exec", "--tx", "ssh=box//ssh_config="+config, "-c", `
import os, subprocess
silent = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.DEVNULL)
child = subprocess.Popen(["/usr/bin/execnet", "socketserver", "127.0.0.1:0"], start_new_session=True, **silent)
channel.send((os.getuid(), child.pid))
os.kill(os.getpid(), 9)
`)
	text, err := driver.CombinedOutput()
	require.Error(t, err, "the worker died\n%s", text)
	assert.Contains(t, string(text), "1000")
	first, err := strconv.Atoi(podman(t, "inspect", "--format", "{{.State.Pid}}", image))
	require.NoError(t, err)
	var orphan int
	require.Eventually(t, func() bool {
		for pid, arguments := range children(t, first) {
			if strings.Contains(arguments, "socketserver") {
				orphan = pid
			}
		}
		return orphan != 0
	}, time.Minute, 100*time.Millisecond, "process 1 inherits it")
	require.NoError(t, syscall.Kill(orphan, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		_, there := children(t, first)[orphan]
		return !there
	}, time.Minute, 100*time.Millisecond, "and reaps it")

	podman(t, "kill", "--signal", "TERM", image)
	assert.Equal(t, "143", podman(t, "wait", image), "128 and the signal")
}

// children are the arguments of the children of a process, also of those that have ended.
func children(t *testing.T, parent int) map[int]string {
	t.Helper()
	all := map[int]string{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // the process may end meanwhile
		_, fields, _ := strings.Cut(string(stat), ") ")
		if words := strings.Fields(fields); len(words) > 1 && words[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			require.NoError(t, err)
			arguments, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			all[pid] = strings.ReplaceAll(string(arguments), "\x00", " ")
		}
	}
	return all
}
