package cmdline

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
)

// running is the file of this program on Linux, also when it has been replaced or removed.
const running = "/proc/self/exe"

// WorkerWord is the argument that starts a program as a worker, and ConnectOption the one behind it
// that has it connect to the driver of a launch.
const (
	WorkerWord    = "worker"
	ConnectOption = "--connect"
)

// serving says that this process has become a worker.
var serving atomic.Bool

// Serve says that this process has become a worker.
func Serve() { serving.Store(true) }

// errNoWorker is the error of a program that was started as a worker, has gone on as if it were
// not, and starts itself again: that would never end.
var errNoWorker = errors.New("execnet: this program was started as a worker by self in a spec, and has not become one: " +
	"call worker.ServeIfWorker() at the top of main, before anything else")

// checkSelf returns errNoWorker for such a program.
func checkSelf() error {
	launched := len(os.Args) == 3 && os.Args[1] == WorkerWord && os.Args[2] == ConnectOption
	if !serving.Load() && (launched || slices.Contains(os.Args, BootstrapLine)) {
		return errNoWorker
	}
	return nil
}

// Self returns the command that starts this program again. It is the path of its file, or running
// if that file is not there any more or has become another one, as after a build. The error says
// that the system does not tell that path, or that the program is no worker.
func Self() (string, error) {
	if err := checkSelf(); err != nil {
		return "", err
	}
	path, err := os.Executable()
	own, ownErr := SelfFile()
	if ownErr != nil || own == path {
		return path, err
	}
	file, statErr := os.Stat(path)
	if process, _ := os.Stat(own); err == nil && statErr == nil && os.SameFile(file, process) {
		return path, nil
	}
	return own, nil
}

// SelfFile returns the name of a file with the content of this program. On Linux it is what this
// process runs, elsewhere the file from which it was started, which may have been replaced. The
// errors are those of Self.
func SelfFile() (string, error) {
	if err := checkSelf(); err != nil {
		return "", err
	}
	if runtime.GOOS == "linux" {
		if _, err := os.Stat(running); err == nil { // without it /proc is not mounted
			return running, nil
		}
	}
	return os.Executable()
}
