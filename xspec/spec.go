// Package xspec reads execution specifications, texts of one line that say which Python to start
// and how to reach it:
//
//	popen//python=python3.12//chdir=/tmp/work
//	ssh=-p 5000 me@host//id=far//env:LANG=C
//	socket=192.168.0.7:8888
//	docker=box//chdir=/srv
//	kubectl=web-0//namespace=shop//python=python3.12
//	launch=mpirun -x EXECNET_LAUNCH -np 4//n=4//id=rank
//	slurm=16//partition=short//time=10:00
//	popen//via=far//python=uv run python
//
// A specification is a list of key=value pairs separated by "//". A key given without "=value"
// stands for true. Neither keys nor values can contain "//", since it always separates; a % behind
// the key says that its value is percent-encoded, so that %2F%2F stands for it. A value may contain
// "=". The grammar is that of Python execnet's XSpec; where this package is stricter than Python,
// the documentation of [Parse] says so.
package xspec

import (
	"maps"
	"strconv"
	"strings"
)

// Spec is a parsed specification. The zero value of a field means that its key was not given.
// Callers may change the fields of a Spec they own (a group fills in ID and ExecModel); String
// keeps returning the text that was parsed.
type Spec struct {
	// Popen is the key "popen": a subprocess of this machine (with Via: of the machine where that
	// gateway runs).
	Popen bool
	// SSH is the key "ssh": a host or user@host, with options of the ssh command before or after
	// it.
	SSH string
	// SSHConfig is the key "ssh_config": the file to read instead of ~/.ssh/config.
	SSHConfig string
	// SSHClient is the key "sshclient", which Python execnet does not have: "openssh" runs the ssh
	// command; empty means the client built into this module.
	SSHClient string
	// VagrantSSH is the key "vagrant_ssh": the name of a vagrant machine, reached through ssh.
	VagrantSSH string
	// Docker, Podman and Kubectl are the keys "docker", "podman" and "kubectl", which like the next
	// three Python execnet does not have: the name of a container, or of a pod, in which the
	// command of that name runs the interpreter. It is the command's own, as in kubectl=deploy/web.
	Docker, Podman, Kubectl string
	// Namespace, Container and Context are the keys "namespace", "container" and "context", which
	// go with Kubectl: where the pod is, which of its containers, and which context of the
	// configuration. Empty means what the command kubectl takes then.
	Namespace, Container, Context string
	// Launch is the key "launch", which like the next three Python execnet does not have: a command
	// that starts workers, here or elsewhere, as mpirun and srun do. It is split as by a shell, and
	// the command of a worker stands behind it. The workers connect to this process.
	Launch string
	// N is the key "n": how many workers the launch starts. 0 means one. For more than one, Workers
	// returns the specs of all.
	N int
	// Slurm is the key "slurm", which like the next six Python execnet does not have: how many
	// workers Slurm's command srun starts, within the allocation of this process if it has one,
	// else in one of their own. They connect to this process, as those of Launch do.
	Slurm int
	// Nodes, Partition, Time, GPUs and Account are the keys "nodes", "partition", "time", "gpus"
	// and "account", the values of srun's options of these names. Srun is the key "srun": further
	// options, split as by a shell.
	Nodes, Partition, Time, GPUs, Account, Srun string
	// Listen is the key "listen": the address, HOST or HOST:PORT, at which the workers of a launch
	// find this process. Empty means the loopback, which only this machine reaches, and with Slurm
	// the address of this machine's name.
	Listen string
	// Advertise is the key "advertise": the HOST or HOST:PORT that the workers are given instead of
	// the one that Listen means.
	Advertise string
	// Launched is set by Workers, in the specs of the workers of one launch. Rank is which of them
	// this one is, from 0.
	Launched *Launched
	Rank     int
	// Socket is the key "socket": the host:port of a running socket server. It is empty for
	// "socket//installvia=ID", so use Kind to find out whether this is a socket specification.
	Socket string
	// TLS is the key "tls", which like the next four Python execnet does not have: connect to the
	// socket server over TLS, and require a certificate that this system trusts. UsesTLS reports
	// whether any of the five keys is given.
	TLS bool
	// TLSCA is the key "tls_ca": a PEM file of the authorities to trust instead of the system's.
	TLSCA string
	// TLSCert and TLSKey are the keys "tls_cert" and "tls_key": PEM files of the certificate to
	// show to the server, and of its key.
	TLSCert, TLSKey string
	// TLSName is the key "tls_name": the name that the server's certificate must be for, instead of
	// Socket's host.
	TLSName string
	// Via is the key "via": the id of the gateway through which this one is started.
	Via string
	// InstallVia is the key "installvia": the id of the gateway on which to start a socket server
	// to connect to.
	InstallVia string
	// Python is the key "python": the interpreter's command line, which is split as by a shell. The
	// absolute path of a file that exists may have blanks in it without quotes.
	// With popen, the word "embedded" is the interpreter inside a program that imports package
	// embedded.
	Python string
	// Self is the key "self", which Python execnet does not have: start this program again, as a
	// worker, instead of an interpreter. On another host it is put there first, unless it is there.
	// (With Via and Popen, where the gateway is one to a Go worker, that worker's own program is
	// started.)
	Self bool
	// ChDir is the key "chdir": the folder to work in, made if it is absent.
	ChDir string
	// ID is the key "id": the gateway's name in its group.
	ID string
	// ExecModel is the key "execmodel": how the worker runs what it is sent, one of the ExecModel
	// constants.
	ExecModel string
	// Engine is the key "engine", which Python execnet does not have: what runs Python source in a
	// Go worker, one of the Engine constants. A Python at the far end refuses it.
	Engine string
	// Preload is the key "preload", which Python execnet does not have: modules that the worker
	// imports before it serves, separated by commas. Where it is possible, workers of this machine
	// are forked from a process that has imported them; see [multi.Group.MakeGateway].
	Preload string
	// Nice is the key "nice": what to add to the worker's niceness. 0 means no change.
	Nice int
	// DontWriteBytecode is the key "dont_write_bytecode": start Python with -B, so that it leaves
	// no .pyc files.
	DontWriteBytecode bool
	// Bootstrap is the key "bootstrap", which Python execnet does not have: "import" uses the
	// execnet package installed for the interpreter; empty sends this module's own worker.
	Bootstrap string
	// Env holds the values of the keys "env:NAME": variables for the worker's environment. Where
	// the worker is started by this module they are there before it starts; over ssh and in a
	// container that is so for those that an interpreter reads at its start (PYTHON..., LD_...,
	// LC_... and so on). A socket server's worker sets them itself.
	Env map[string]string
	// Extra holds every key that this package does not know. Its values are strings, or true for a
	// key without a value. CheckKeys refuses them.
	Extra map[string]any

	source     string
	bareSocket bool
}

// stringKeys are the keys whose value is stored as it is written.
var stringKeys = map[string]func(*Spec) *string{
	"ssh":         func(s *Spec) *string { return &s.SSH },
	"ssh_config":  func(s *Spec) *string { return &s.SSHConfig },
	"sshclient":   func(s *Spec) *string { return &s.SSHClient },
	"vagrant_ssh": func(s *Spec) *string { return &s.VagrantSSH },
	"docker":      func(s *Spec) *string { return &s.Docker },
	"podman":      func(s *Spec) *string { return &s.Podman },
	"kubectl":     func(s *Spec) *string { return &s.Kubectl },
	"namespace":   func(s *Spec) *string { return &s.Namespace },
	"container":   func(s *Spec) *string { return &s.Container },
	"context":     func(s *Spec) *string { return &s.Context },
	"launch":      func(s *Spec) *string { return &s.Launch },
	"nodes":       func(s *Spec) *string { return &s.Nodes },
	"partition":   func(s *Spec) *string { return &s.Partition },
	"time":        func(s *Spec) *string { return &s.Time },
	"gpus":        func(s *Spec) *string { return &s.GPUs },
	"account":     func(s *Spec) *string { return &s.Account },
	"srun":        func(s *Spec) *string { return &s.Srun },
	"listen":      func(s *Spec) *string { return &s.Listen },
	"advertise":   func(s *Spec) *string { return &s.Advertise },
	"socket":      func(s *Spec) *string { return &s.Socket },
	"tls_ca":      func(s *Spec) *string { return &s.TLSCA },
	"tls_cert":    func(s *Spec) *string { return &s.TLSCert },
	"tls_key":     func(s *Spec) *string { return &s.TLSKey },
	"tls_name":    func(s *Spec) *string { return &s.TLSName },
	"via":         func(s *Spec) *string { return &s.Via },
	"installvia":  func(s *Spec) *string { return &s.InstallVia },
	"python":      func(s *Spec) *string { return &s.Python },
	"chdir":       func(s *Spec) *string { return &s.ChDir },
	"id":          func(s *Spec) *string { return &s.ID },
	"execmodel":   func(s *Spec) *string { return &s.ExecModel },
	"engine":      func(s *Spec) *string { return &s.Engine },
	"preload":     func(s *Spec) *string { return &s.Preload },
	"bootstrap":   func(s *Spec) *string { return &s.Bootstrap },
}

// intKeys are the keys whose value is an integer, and 0 if they are not given.
var intKeys = map[string]func(*Spec) *int{
	"nice":  func(s *Spec) *int { return &s.Nice },
	"n":     func(s *Spec) *int { return &s.N },
	"slurm": func(s *Spec) *int { return &s.Slurm },
}

// boolKeys are the keys that are on when they stand alone.
var boolKeys = map[string]func(*Spec) *bool{
	"popen":               func(s *Spec) *bool { return &s.Popen },
	"dont_write_bytecode": func(s *Spec) *bool { return &s.DontWriteBytecode },
	"self":                func(s *Spec) *bool { return &s.Self },
	"tls":                 func(s *Spec) *bool { return &s.TLS },
}

// String returns the text that was parsed, byte for byte. To execnet two specifications are the
// same if their texts are.
func (s *Spec) String() string { return s.source }

// PreloadModules are the names in Preload.
func (s *Spec) PreloadModules() []string {
	return strings.FieldsFunc(s.Preload, func(c rune) bool { return c == ',' || c == ' ' })
}

// Clone returns a copy that shares nothing with s.
func (s *Spec) Clone() *Spec {
	c := *s
	c.Env = maps.Clone(s.Env)
	c.Extra = maps.Clone(s.Extra)
	return &c
}

// Get returns the value of a key, also of "env:NAME" and unknown keys, and whether it is set. A key
// that stands for true has the value "". Get reads the fields of s, not the text.
func (s *Spec) Get(key string) (value string, isSet bool) {
	if field, ok := stringKeys[key]; ok {
		value = *field(s)
		return value, value != "" || key == "socket" && s.bareSocket
	}
	if field, ok := boolKeys[key]; ok {
		return "", *field(s)
	}
	if field, ok := intKeys[key]; ok {
		if *field(s) == 0 {
			return "", false
		}
		return strconv.Itoa(*field(s)), true
	}
	if name, ok := strings.CutPrefix(key, "env:"); ok {
		value, isSet = s.Env[name]
		return value, isSet
	}
	extra, isSet := s.Extra[key]
	value, _ = extra.(string)
	return value, isSet
}

// UsesTLS reports whether the connection to a socket server uses TLS: whether one of the keys that
// begin with "tls" is given.
func (s *Spec) UsesTLS() bool {
	return s.TLS || s.TLSCA != "" || s.TLSCert != "" || s.TLSKey != "" || s.TLSName != ""
}

// Local reports whether the specification starts a process of this machine: popen without via. With
// a python= of several words, such as "docker exec", the interpreter may still run elsewhere.
func (s *Spec) Local() bool { return s.Popen && s.Via == "" }

// SameFilesystem reports whether the worker sees this process's files under the same relative
// paths: whether it is Local and has no chdir. execnet's rsync copies nothing then.
func (s *Spec) SameFilesystem() bool { return s.Local() && s.ChDir == "" }
