package sshclient

import (
	"cmp"
	"io"
	"os"
	"time"

	"github.com/go-execnet/execnet/internal/sshconfig"
)

// Options is what a program can tell the native client beyond specs and configuration files. The
// public name is gatewayio.SSHOptions. The zero value works with agents and unencrypted keys and
// asks nobody anything.
//
// The callbacks are called one at a time within a pool, and none of them where BatchMode is yes.
// When the attempt to connect is given up, nothing waits for a callback that has not returned; no
// other one is called before it does. The answer of Passphrase is kept (as a decrypted key) for the
// pool's later connections; the others are asked again for each connection.
type Options struct {
	// Passphrase returns the passphrase of an encrypted key file. It is called only once the host
	// has accepted the key, and again, up to NumberOfPasswordPrompts times, when the passphrase was
	// wrong.
	Passphrase func(file string) ([]byte, error)
	// UnknownHost says whether to trust the key of a host that no known_hosts file knows. It is
	// called where StrictHostKeyChecking is ask, as it is by default. host is the host as
	// known_hosts files name it, fingerprint is "SHA256:...". A key that is trusted is kept in the
	// user's first known_hosts file.
	UnknownHost func(host, keyType, fingerprint string) (bool, error)
	// Password returns the password of user on host.
	Password func(user, host string) (string, error)
	// KeyboardInteractive answers the questions of the method of this name; echos tells for each
	// whether what is typed may be shown.
	KeyboardInteractive func(user, host, instruction string, questions []string, echos []bool) ([]string, error)
	// Stderr receives what remote workers and proxy commands write to their stderr, and the
	// client's own warnings. Nil means os.Stderr. While a Write blocks, up to 1 MiB of each worker
	// waits; more is left out, and a line says so. At a worker's end a Write has half a second.
	Stderr io.Writer
	// ConnectTimeout is how long a host may take for each step of a connection, where the
	// configuration has no ConnectTimeout; 0 means 30 seconds, a negative value no limit.
	ConnectTimeout time.Duration
	// AliveInterval and AliveCountMax are used where the configuration has no ServerAliveInterval
	// and ServerAliveCountMax; 0 means 15 seconds and 3, a negative AliveInterval no keepalives.
	AliveInterval time.Duration
	AliveCountMax int
	// SessionsPerConnection is how many gateways share one connection before the next is opened; 0
	// means 10. A host that allows fewer is noticed and obeyed.
	SessionsPerConnection int

	home         string // for tests: instead of the user's home folder
	systemConfig string // for tests: instead of /etc/ssh/ssh_config
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.home == "" {
		o.home, _ = os.UserHomeDir()
	}
	o.systemConfig = cmp.Or(o.systemConfig, sshconfig.SystemFile())
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 30*time.Second)
	o.AliveInterval = cmp.Or(o.AliveInterval, 15*time.Second)
	if o.AliveCountMax <= 0 {
		o.AliveCountMax = 3
	}
	if o.SessionsPerConnection <= 0 {
		o.SessionsPerConnection = 10 // as sshd's MaxSessions
	}
	return o
}
