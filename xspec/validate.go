package xspec

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-execnet/execnet/internal/pyliteral"
)

// The execution models: how a worker runs the sources that it is sent ([protocol.md section 6.5]).
// They are the values of the key "execmodel".
//
// [protocol.md section 6.5]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#65-execution-models
const (
	// ExecModelThread runs each in a thread of its own, and the first in the main thread while that
	// is free. It is the default.
	ExecModelThread = "thread"
	// ExecModelMainThreadOnly runs all of them in the main thread, one at a time.
	ExecModelMainThreadOnly = "main_thread_only"
	// ExecModelEventlet runs them in eventlet's green threads, which the remote Python must have.
	ExecModelEventlet = "eventlet"
	// ExecModelGevent runs them in gevent's greenlets, which the remote Python must have.
	ExecModelGevent = "gevent"
)

// ExecModels returns the execution models, as a new slice.
func ExecModels() []string {
	return []string{ExecModelThread, ExecModelMainThreadOnly, ExecModelEventlet, ExecModelGevent}
}

// The engines: what runs Python source in a Go worker. They are the values of the key "engine", of
// the option --engine of a Go worker, and of the environment variable EXECNET_ENGINE.
const (
	// EngineAuto decides for each program by reading its source: gpython if it does all of the
	// program exactly as CPython and no program of the gateway has run in CPython before, else
	// CPython, else gpython. It is the default.
	EngineAuto = "auto"
	// EngineGpython runs all programs in the Go worker's own engine.
	EngineGpython = "gpython"
	// EngineCPython runs all programs in a CPython that the Go worker starts beside itself.
	EngineCPython = "cpython"
)

// Engines returns the engines, as a new slice.
func Engines() []string { return []string{EngineAuto, EngineGpython, EngineCPython} }

// The kinds of gateway that [Spec.Kind] returns. Each is the key of the specification that asks for
// it.
const (
	KindPopen      = "popen"       // a process of this machine, or with via of the via gateway's
	KindSSH        = "ssh"         // a process of another machine, reached over ssh
	KindVagrantSSH = "vagrant_ssh" // a process of a vagrant machine, reached over ssh
	KindDocker     = "docker"      // a process in a container, started by the command docker
	KindPodman     = "podman"      // the same by podman
	KindKubectl    = "kubectl"     // a process in a pod, started by the command kubectl
	KindLaunch     = "launch"      // a worker that a launcher starts, and which connects to here
	KindSlurm      = "slurm"       // a worker that Slurm starts, and which connects to here
	KindSocket     = "socket"      // a worker that a socket server starts
)

// Kind returns the kind of gateway that s asks for, one of the Kind constants, or "" if it asks for
// none. If it asks for several, which [Spec.Validate] refuses, Kind returns the first in the order
// of the constants.
func (s *Spec) Kind() string {
	if kinds := s.kinds(); len(kinds) > 0 {
		return kinds[0]
	}
	return ""
}

func (s *Spec) kinds() []string {
	var kinds []string
	for _, kind := range []string{KindPopen, KindSSH, KindVagrantSSH, KindDocker, KindPodman, KindKubectl, KindLaunch, KindSlurm, KindSocket} {
		if _, isSet := s.Get(kind); isSet {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// Validate returns an [*Error] if s does not describe a gateway: if it asks for no kind of gateway
// or for several, has keys that do not go together, or values that a key cannot have.
func (s *Spec) Validate() error {
	fail := func(key, format string, args ...any) error {
		return &Error{Spec: s.source, Key: key, Problem: fmt.Sprintf(format, args...)}
	}
	kinds := s.kinds()
	if len(kinds) == 0 {
		return fail("", "no gateway type found; it must have one of popen, ssh=HOST, vagrant_ssh=NAME, docker=NAME, podman=NAME, kubectl=POD, launch=COMMAND, slurm=N or socket=HOST:PORT")
	}
	if len(kinds) > 1 {
		return fail("", "it has more than one gateway type (%s); keep one", strings.Join(kinds, ", "))
	}
	overSSH := kinds[0] == KindSSH || kinds[0] == KindVagrantSSH
	switch {
	case s.Via != "" && s.InstallVia != "":
		return fail("via", "it does not go with installvia, whose server is connected to from here; write popen//via=%s to start an interpreter there", s.Via)
	case s.InstallVia != "" && kinds[0] != KindSocket:
		return fail("installvia", "it goes with socket only; write socket//installvia=%s, or via=%s to start a %s gateway there", s.InstallVia, s.InstallVia, kinds[0])
	case s.InstallVia != "" && s.Socket != "":
		return fail("installvia", "the server it starts chooses its own address; write socket without a value, or leave installvia out")
	case s.InstallVia == "" && kinds[0] == KindSocket && s.Socket == "":
		return fail("socket", "it needs an address; write socket=HOST:PORT, or socket//installvia=GATEWAY-ID")
	case s.Python != "" && kinds[0] == KindSocket:
		return fail("python", "a socket server runs in an interpreter of its own; leave python out, or start the server with the one you want")
	case s.DontWriteBytecode && kinds[0] == KindSocket:
		return fail("dont_write_bytecode", "a socket server runs already when it is connected to; start it with python -B, or write env:PYTHONDONTWRITEBYTECODE=1 for what it starts")
	case s.UsesTLS() && (kinds[0] != KindSocket || s.InstallVia != "" || s.Via != ""):
		return fail(s.tlsKey(), "it goes with socket=HOST:PORT only, and not with via or installvia")
	case (s.TLSCert == "") != (s.TLSKey == ""):
		return fail(s.tlsKey(), "a certificate and its key go together; write tls_cert=FILE//tls_key=FILE")
	case s.ChDir == "~" || strings.HasPrefix(s.ChDir, "~/"):
		return fail("chdir", `~ does not stand for the home folder here; write the whole path, or %q for a folder of that name`, "./"+s.ChDir)
	case strings.ContainsFunc(s.ID, unicode.IsControl):
		return fail("id", "%q holds control characters", s.ID)
	case s.Self && kinds[0] == KindSocket:
		return fail("self", "it does not go with socket, whose server has chosen its program; leave self out")
	case s.Self && s.Python != "":
		return fail("self", "it starts this program, so python=%s has no place; keep one of them", s.Python)
	case s.Self && s.Bootstrap != "":
		return fail("self", "this program is no Python that could import execnet; leave bootstrap out")
	case s.SSHConfig != "" && !overSSH:
		return fail("ssh_config", "it goes with ssh or vagrant_ssh only")
	case s.SSHClient != "" && !overSSH:
		return fail("sshclient", "it goes with ssh or vagrant_ssh only")
	case s.SSHClient != "" && s.SSHClient != "openssh":
		return fail("sshclient", `%q is unknown; write sshclient=openssh, or leave the key out for the built-in client`, s.SSHClient)
	case kinds[0] != KindKubectl && s.kubectlKey() != "":
		return fail(s.kubectlKey(), "it goes with kubectl only")
	case s.N != 0 && kinds[0] != KindLaunch:
		return fail("n", "it goes with launch only")
	case s.launchKey() != "" && !s.Launches():
		return fail(s.launchKey(), "it goes with launch and slurm only")
	case s.slurmKey() != "" && kinds[0] != KindSlurm:
		return fail(s.slurmKey(), "it goes with slurm only")
	case s.Via != "" && s.Launches():
		return fail("via", "it does not go with %s, whose workers connect to this process; leave via out", kinds[0])
	case s.N > maxWorkers:
		return fail("n", "it must be %d or less, and is %d", maxWorkers, s.N)
	case s.Slurm > maxWorkers:
		return fail("slurm", "it must be %d or less, and is %d", maxWorkers, s.Slurm)
	case s.optionKey() != "":
		value, _ := s.Get(s.optionKey())
		return fail(s.optionKey(), `%q begins with "-", and would be an option of the command %s; write the name alone`, value, kinds[0])
	case s.ExecModel != "" && !slices.Contains(ExecModels(), s.ExecModel):
		return fail("execmodel", "%q is unknown; it is one of %s", s.ExecModel, strings.Join(ExecModels(), ", "))
	case s.Engine != "" && !slices.Contains(Engines(), s.Engine):
		return fail("engine", "%q is unknown; it is one of %s", s.Engine, strings.Join(Engines(), ", "))
	case s.Engine != "" && s.Bootstrap != "":
		return fail("engine", "it is for Go workers, and bootstrap=%s makes a Python one; keep one of them", s.Bootstrap)
	case s.Preload != "" && s.badPreload() != "":
		return fail("preload", "%q is no name of a module; write preload=numpy,pandas", s.badPreload())
	case s.Bootstrap != "" && s.Bootstrap != "import":
		return fail("bootstrap", "%q is unknown; write bootstrap=import to use the execnet installed there, or leave the key out", s.Bootstrap)
	}
	for key := range s.Extra {
		if strings.Contains(key, "/") {
			return fail(key, `it looks like the rest of a path, but "//" separates pairs; write the path with single slashes`)
		}
	}
	return s.cutValue()
}

// kubectlKey returns a key that only goes with kubectl, or "".
func (s *Spec) kubectlKey() string { return s.firstKey(set, "namespace", "container", "context") }

// maxWorkers is how many workers one launch may have. More is most likely a typing error.
const maxWorkers = 1000

// launchKey returns a key that only goes with launch and slurm, or "".
func (s *Spec) launchKey() string { return s.firstKey(set, "listen", "advertise") }

// slurmKey returns a key that only goes with slurm, or "".
func (s *Spec) slurmKey() string {
	return s.firstKey(set, "nodes", "partition", "time", "gpus", "account", "srun")
}

// optionKey returns a key whose value the command of a container would take for an option, or "".
func (s *Spec) optionKey() string {
	return s.firstKey(func(value string) bool { return strings.HasPrefix(value, "-") },
		KindDocker, KindPodman, KindKubectl, "namespace", "container", "context")
}

func set(value string) bool { return value != "" }

// firstKey returns the first of the keys whose value is what is looked for, or "".
func (s *Spec) firstKey(matches func(value string) bool, keys ...string) string {
	for _, key := range keys {
		if value, _ := s.Get(key); matches(value) {
			return key
		}
	}
	return ""
}

// badPreload returns a part of Preload that is no name of a module.
func (s *Spec) badPreload() string {
	modules := s.PreloadModules()
	if len(modules) == 0 {
		return s.Preload
	}
	for _, name := range modules {
		for part := range strings.SplitSeq(name, ".") {
			if !pyliteral.IsIdentifier(part) {
				return name
			}
		}
	}
	return ""
}

// tlsKey returns one of the keys that make UsesTLS true.
func (s *Spec) tlsKey() string {
	for _, key := range []string{"tls_cert", "tls_key", "tls_ca", "tls_name"} {
		if _, isSet := s.Get(key); isSet {
			return key
		}
	}
	return "tls"
}
