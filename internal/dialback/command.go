package dialback

import (
	"bytes"
	"compress/zlib"
	_ "embed"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/xspec"
)

//go:embed connect.py
var connectSource string

// programStart is how the program begins that a Python is given. By it Go workers know that they
// are to connect, whatever release their driver has.
const programStart = `EXECNET="connect";import binascii,zlib;exec(zlib.decompress(binascii.a2b_base64("`

// program is connect.py in one line without single quotes, backslashes and dollar signs, for
// launchers that hand their arguments to a shell.
var program = sync.OnceValue(func() string {
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(connectSource))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("writing to memory failed: " + err.Error())
	}
	return programStart + base64.StdEncoding.EncodeToString(packed.Bytes()) + `")))`
})

// Command returns the launcher's command line for a spec: the words of launch=, or srun for slurm=,
// and those that follow them, the command of a worker: this program for self, else python= or
// python3, which the launcher finds where it starts it. The error is a *cmdline.StartError.
func Command(spec *xspec.Spec) (launcher, worker []string, err error) {
	if launcher, err = launcherCommand(spec); err == nil {
		worker, err = workerCommand(spec)
	}
	return launcher, worker, err
}

// sourceOf is the part of a spec that names the launcher, for errors.
func sourceOf(spec *xspec.Spec) string { return spec.Kind() + "= in the spec" }

func launcherCommand(spec *xspec.Spec) ([]string, error) {
	if spec.Kind() == xspec.KindSlurm {
		return srun(spec)
	}
	words, err := cmdline.Split(spec.Launch)
	if err != nil {
		return nil, &cmdline.StartError{Args: []string{spec.Launch}, Source: sourceOf(spec), Err: err}
	}
	if len(words) == 0 {
		return nil, &cmdline.StartError{Source: sourceOf(spec), Err: exec.ErrNotFound}
	}
	return words, nil
}

// errReplaced is why self cannot be launched any more.
var errReplaced = errors.New("the file of this program has been removed or replaced since it was started, and a launcher needs it by its name")

func workerCommand(spec *xspec.Spec) ([]string, error) {
	if spec.Self {
		path, err := cmdline.Self()
		if err == nil && strings.HasPrefix(path, "/proc/") {
			err = errReplaced // in the launcher that name means the launcher
		}
		if err != nil {
			return nil, &cmdline.StartError{Args: os.Args[:1], Source: "self in the spec", Err: err}
		}
		return []string{path, cmdline.WorkerWord, cmdline.ConnectOption}, nil
	}
	words := []string{"python3"}
	if spec.Python != "" {
		const source = "python= in the spec"
		var err error
		if words, err = cmdline.SplitPython(spec.Python); err != nil {
			return nil, &cmdline.StartError{Args: []string{spec.Python}, Source: source, Err: err}
		}
		if len(words) == 0 {
			return nil, &cmdline.StartError{Source: source, Err: exec.ErrNotFound}
		}
	}
	words = append(words, "-u")
	if spec.DontWriteBytecode {
		words = append(words, "-B")
	}
	return append(words, "-c", program()), nil
}

// IsProgram reports whether an argument behind -c is what [Command] gives a Python, of this release
// or another one.
func IsProgram(argument string) bool { return strings.HasPrefix(argument, programStart) }

// Asked reports whether a program with these arguments, without its own name, is to connect to a
// driver.
func Asked(args []string) bool {
	return slices.Contains(args, cmdline.ConnectOption) || slices.ContainsFunc(args, IsProgram)
}
