package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
)

// run runs a command as a container would: with an environment of its own, and so that nothing but
// its stdin ends with the client. It returns what the client is told of its end. What the command
// prints when the client has gone is not read, so that it may block. A nil stdin is empty.
func (c *Cluster) run(run Exec, stdin io.Reader, stdout, stderr io.Writer) metav1.Status {
	path, err := c.look(run)
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("error executing command in container: failed to exec in container: failed to start exec %q: "+
			"OCI runtime exec failed: exec failed: unable to start container process: exec: %q: %w: unknown", "2f6e1c", run.Argv[0], err)).ErrStatus
	}
	cmd := &exec.Cmd{Path: path, Args: run.Argv, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	cmd.Env = []string{
		"PATH=" + c.paths[run.Container], "HOME=" + c.home, "TMPDIR=" + c.home, "HOSTNAME=" + run.Pod, c.mark,
		"CONTAINER=" + run.Namespace + "/" + run.Pod + "/" + run.Container,
	}
	var in io.WriteCloser
	var inErr error
	if stdin != nil {
		in, inErr = cmd.StdinPipe()
	}
	out, outErr := cmd.StdoutPipe()
	errs, errsErr := cmd.StderrPipe()
	if err := errors.Join(inErr, outErr, errsErr); err != nil {
		return apierrors.NewInternalError(err).ErrStatus
	}
	if err := cmd.Start(); err != nil {
		return apierrors.NewInternalError(err).ErrStatus
	}
	var printed sync.WaitGroup
	printed.Go(func() { _, _ = io.Copy(stdout, out) })
	printed.Go(func() { _, _ = io.Copy(stderr, errs) })
	if stdin != nil {
		c.serving.Go(func() {
			_, _ = io.Copy(in, stdin)
			in.Close()
			_, _ = io.Copy(io.Discard, stdin) // what the command did not want
		})
	}
	printed.Wait()
	_ = cmd.Wait()
	return statusOf(cmd.ProcessState)
}

// statusOf tells how a process ended, as Kubernetes does.
func statusOf(state *os.ProcessState) metav1.Status {
	if state.Success() {
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	code := state.ExitCode()
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return metav1.Status{
		Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
		Message: fmt.Sprintf("command terminated with non-zero exit code: exit status %d", code),
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(code)}}},
	}
}

// look finds a program in its container.
func (c *Cluster) look(run Exec) (string, error) {
	name := run.Argv[0]
	if strings.Contains(name, "/") {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("stat %s: no such file or directory", name)
		}
		return name, nil
	}
	path := filepath.Join(c.paths[run.Container], name)
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("executable file not found in $PATH")
	}
	return path, nil
}

// killAll ends what runs in the pods, also what is started meanwhile.
func (c *Cluster) killAll() {
	for pids := c.pids(); len(pids) > 0; pids = c.pids() {
		for _, text := range pids {
			if pid, err := strconv.Atoi(text); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
			}
		}
	}
}
