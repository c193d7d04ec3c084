// Package cmdline makes the command lines that start an interpreter: on this machine, by the shell
// of an ssh host, and behind the ssh command.
package cmdline

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	shellquote "github.com/kballard/go-shellquote"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/xspec"
)

// BootstrapLine is the program that a fresh interpreter is started with, as python -c takes it: it
// reads one line from stdin, which must be a Python string literal, and executes what the string
// says.
const BootstrapLine = "import sys;exec(eval(sys.stdin.readline()))"

// Python returns the command line for a popen spec: the interpreter, -u, -B for
// dont_write_bytecode, and -c with BootstrapLine. The interpreter is this program itself for self,
// otherwise the value of python=, else of the environment variable EXECNET_PYTHON, both split as by
// SplitPython, else python3 or python from PATH, else the one inside this program. A command whose
// first word is Embedded means that one. (Python's execnet takes its own interpreter when there is
// no python=.)
//
// source says where the interpreter's name comes from, for a StartError. The error is a
// *StartError, a *PythonNotFoundError, or says why the interpreter inside cannot be used.
func Python(spec *xspec.Spec) (argv []string, source string, err error) {
	if spec.Self {
		source = "self in the spec"
		program, err := Self()
		if err != nil {
			return nil, "", &StartError{Args: os.Args[:1], Source: source, Err: err}
		}
		argv = []string{program}
	} else if argv, source, err = interpreter(spec.Python); err != nil {
		return nil, "", err
	}
	return append(argv, PythonArgs(spec)...), source, nil
}

// PythonArgs returns the arguments of an interpreter that is to read BootstrapLine's one line.
func PythonArgs(spec *xspec.Spec) []string {
	if spec.DontWriteBytecode {
		return []string{"-u", "-B", "-c", BootstrapLine}
	}
	return []string{"-u", "-c", BootstrapLine}
}

func interpreter(command string) (argv []string, source string, err error) {
	argv, source, err = find(command)
	if err == nil && argv[0] == Embedded {
		argv = slices.Clone(argv)
		argv[0], err = embedded.unpack()
	}
	return argv, source, err
}

// Available returns the error that Python would return for a spec with this python=, or nil. It
// does not unpack the interpreter inside this program, which takes long the first time and may fail
// then.
func Available(command string) error {
	_, _, err := find(command)
	return err
}

// Inside is the source of the interpreter inside this program when no name chooses it.
const Inside = "inside this program"

// Source returns where the interpreter's name comes from that Python would start for a spec with
// this python=. It is empty if nothing names one and there is none.
func Source(command string) string {
	_, source, _ := find(command)
	return source
}

// find returns the command line of the interpreter. Its first word is Embedded for the one inside
// this program, if there is one.
func find(command string) (argv []string, source string, err error) {
	source = "python= in the spec"
	if command == "" {
		command, source = os.Getenv("EXECNET_PYTHON"), "from EXECNET_PYTHON"
	}
	if command == "" {
		names := []string{"python3", "python"}
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return []string{path}, "from PATH", nil
			}
		}
		if embedded.check() == nil {
			return []string{Embedded}, Inside, nil
		}
		return nil, "", &PythonNotFoundError{Tried: names}
	}
	argv, err = SplitPython(command)
	if err != nil {
		return nil, "", &StartError{Args: []string{command}, Source: source, Err: err}
	}
	if len(argv) == 0 {
		return nil, "", &StartError{Source: source, Err: exec.ErrNotFound}
	}
	if argv[0] == Embedded {
		if err := embedded.check(); err != nil {
			return nil, "", &StartError{Args: argv, Source: source, Err: err}
		}
	}
	return argv, source, nil
}

// Remote returns the command line that an ssh host's shell gets, behind prefix. It has those
// variables of env in it that an interpreter reads when it starts (see withEnv). python= is put
// into it unchanged, for that shell to split, as in execnet. Without python= execnet runs "python",
// which most hosts no longer have; here a small sh script takes python3 if there is one, else
// python. The script has no single quote, "!" or backslash, so that csh and fish pass it to sh
// unchanged. A host with the shell of Windows has no sh: there python= has to be given.
func Remote(prefix []string, spec *xspec.Spec) string {
	command := spec.Python + pythonWords(spec)
	if spec.Python == "" {
		command = "sh -c '" + anyPython(spec) + "'"
	}
	return RemoteCommand(prefix, spec, command)
}

// anyPython is a sh script that becomes python3 if there is one, else python.
func anyPython(spec *xspec.Spec) string {
	return "if command -v python3 >/dev/null 2>&1; then p=python3; else p=python; fi; exec $p" + pythonWords(spec)
}

// pythonWords is PythonArgs for a shell, with a blank in front.
func pythonWords(spec *xspec.Spec) string {
	flags := " -u"
	if spec.DontWriteBytecode {
		flags += " -B"
	}
	return flags + ` -c "` + BootstrapLine + `"`
}

// RemoteCommand puts prefix and those variables of env in front of a command line for an ssh host's
// shell that a program reads when it starts (see withEnv).
func RemoteCommand(prefix []string, spec *xspec.Spec, command string) string {
	return strings.Join(slices.Concat(prefix, withEnv(spec), []string{command}), " ")
}

// OpenSSH returns the command line for sshclient=openssh. It is execnet's: "ssh -C [-F ssh_config]
// ARGUMENTS COMMAND", and for vagrant_ssh "vagrant ssh NAME -- -C [-F ssh_config] COMMAND";
// ARGUMENTS is the value of ssh= split as by Split, where execnet splits at blanks only.
func OpenSSH(spec *xspec.Spec) ([]string, error) { return OpenSSHCommand(spec, Remote(nil, spec)) }

// OpenSSHCommand is OpenSSH for another command than that of an interpreter.
func OpenSSHCommand(spec *xspec.Spec, command string) ([]string, error) {
	argv := []string{"ssh", "-C"}
	if spec.VagrantSSH != "" {
		argv = []string{"vagrant", "ssh", spec.VagrantSSH, "--", "-C"}
	}
	if spec.SSHConfig != "" {
		argv = append(argv, "-F", spec.SSHConfig)
	}
	if spec.VagrantSSH == "" {
		words, err := Split(spec.SSH)
		if err != nil {
			return nil, errtext.Wrap("ssh="+spec.SSH, err)
		}
		argv = append(argv, words...)
	}
	return append(argv, command), nil
}

// SplitPython splits the command of python= or EXECNET_PYTHON as by Split, unless it is the
// absolute path of a file, which may have blanks in it: C:\Program Files\Python\python.exe.
func SplitPython(command string) ([]string, error) {
	if filepath.IsAbs(command) {
		if info, err := os.Stat(command); err == nil && info.Mode().IsRegular() {
			return []string{command}, nil
		}
	}
	return Split(command)
}

// Split splits a command line as a shell does. On Windows it first turns backslashes into slashes,
// as execnet does, so that a backslash in a path is no quote; Windows takes either in a path.
func Split(command string) ([]string, error) { return split(command, runtime.GOOS == "windows") }

func split(command string, windows bool) ([]string, error) {
	if windows {
		command = strings.ReplaceAll(command, `\`, "/")
	}
	return shellquote.Split(command)
}
