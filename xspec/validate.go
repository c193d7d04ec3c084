package xspec

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ExecModels are the values that the key "execmodel" can have.
var ExecModels = []string{"thread", "main_thread_only", "eventlet", "gevent"}

// The kinds of gateway, named by the key that asks for each.
const (
	KindPopen      = "popen"
	KindSSH        = "ssh"
	KindVagrantSSH = "vagrant_ssh"
	KindSocket     = "socket"
)

// Kind returns the kind of gateway that s asks for, one of the Kind constants, or "" when it asks
// for none. Of several, which Validate refuses, it returns the first in the order of the constants.
func (s *Spec) Kind() string {
	if kinds := s.kinds(); len(kinds) > 0 {
		return kinds[0]
	}
	return ""
}

func (s *Spec) kinds() []string {
	var kinds []string
	for _, kind := range []string{KindPopen, KindSSH, KindVagrantSSH, KindSocket} {
		if _, isSet := s.Get(kind); isSet {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// Validate reports, as an *Error, what keeps s from describing a gateway: no kind of gateway or
// several, keys that do not go together, or values that a key cannot have.
func (s *Spec) Validate() error {
	fail := func(key, format string, args ...any) error {
		return &Error{Spec: s.source, Key: key, Problem: fmt.Sprintf(format, args...)}
	}
	kinds := s.kinds()
	if len(kinds) == 0 {
		return fail("", "no gateway type found; it must have one of popen, ssh=HOST, vagrant_ssh=NAME or socket=HOST:PORT")
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
	case s.UsesTLS() && (kinds[0] != KindSocket || s.InstallVia != "" || s.Via != ""):
		return fail(s.tlsKey(), "it goes with socket=HOST:PORT only, and not with via or installvia")
	case (s.TLSCert == "") != (s.TLSKey == ""):
		return fail(s.tlsKey(), "a certificate and its key go together; write tls_cert=FILE//tls_key=FILE")
	case strings.ContainsFunc(s.ID, unicode.IsControl):
		return fail("id", "%q holds control characters", s.ID)
	case s.Self && kinds[0] != KindPopen:
		return fail("self", "it goes with popen only; name the program with python=PROGRAM instead")
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
	case s.ExecModel != "" && !slices.Contains(ExecModels, s.ExecModel):
		return fail("execmodel", "%q is unknown; it is one of %s", s.ExecModel, strings.Join(ExecModels, ", "))
	case s.Bootstrap != "" && s.Bootstrap != "import":
		return fail("bootstrap", "%q is unknown; write bootstrap=import to use the execnet installed there, or leave the key out", s.Bootstrap)
	}
	for key := range s.Extra {
		if strings.Contains(key, "/") {
			return fail(key, `it looks like the rest of a path, but "//" separates pairs; write the path with single slashes`)
		}
	}
	return nil
}

// tlsKey is a key that makes UsesTLS true.
func (s *Spec) tlsKey() string {
	for _, key := range []string{"tls_cert", "tls_key", "tls_ca", "tls_name"} {
		if _, isSet := s.Get(key); isSet {
			return key
		}
	}
	return "tls"
}
