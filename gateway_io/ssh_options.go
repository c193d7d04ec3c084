package gatewayio

import (
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Defaults of SSHOptions.
const (
	// DefaultSSHConnectTimeout is how long a host may take to complete each of the steps of a
	// connection.
	DefaultSSHConnectTimeout = 30 * time.Second
	// DefaultSSHAliveInterval and DefaultSSHAliveCountMax end a silent connection after 45 seconds.
	// OpenSSH's own default is never; a gateway would then hang until the kernel gives the
	// connection up.
	DefaultSSHAliveInterval = 15 * time.Second
	DefaultSSHAliveCountMax = 3
	// DefaultSSHSessionsPerConnection is sshd's default for MaxSessions.
	DefaultSSHSessionsPerConnection = 10
)

// SSHOptions is what a program can tell the native ssh client beyond specs and configuration files.
// The zero value works with agents and unencrypted keys and asks nobody anything.
//
// The callbacks are called from the goroutine that connects, one at a time within a pool. The
// answer of Passphrase is kept (as a decrypted key) for the pool's later connections; the others
// are asked again for each connection.
type SSHOptions struct {
	// Passphrase returns the passphrase of an encrypted key file. It is asked only once the host
	// has accepted the key, and again, up to NumberOfPasswordPrompts times, when the passphrase was
	// wrong.
	Passphrase func(file string) ([]byte, error)
	// Password returns the password of user on host.
	Password func(user, host string) (string, error)
	// KeyboardInteractive answers the questions of the method of this name; echos tells for each
	// whether what is typed may be shown.
	KeyboardInteractive func(user, host, instruction string, questions []string, echos []bool) ([]string, error)
	// Stderr receives what remote workers and proxy commands write to their stderr, and the
	// client's own warnings. Nil means os.Stderr. A write must not block for long: it holds up the
	// worker.
	Stderr io.Writer
	// ConnectTimeout is used where the configuration has no ConnectTimeout; 0 means
	// DefaultSSHConnectTimeout, a negative value no limit.
	ConnectTimeout time.Duration
	// AliveInterval and AliveCountMax are used where the configuration has no ServerAliveInterval
	// and ServerAliveCountMax; 0 means the defaults above, a negative AliveInterval no keepalives.
	AliveInterval time.Duration
	AliveCountMax int
	// SessionsPerConnection is how many gateways share one connection before the next is opened; 0
	// means DefaultSSHSessionsPerConnection. A host that allows fewer is noticed and obeyed.
	SessionsPerConnection int

	home         string // for tests: instead of the user's home folder
	systemConfig string // for tests: instead of /etc/ssh/ssh_config
}

// withDefaults fills in what was left out.
func (o SSHOptions) withDefaults() SSHOptions {
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = DefaultSSHConnectTimeout
	}
	if o.AliveInterval == 0 {
		o.AliveInterval = DefaultSSHAliveInterval
	}
	if o.AliveCountMax <= 0 {
		o.AliveCountMax = DefaultSSHAliveCountMax
	}
	if o.SessionsPerConnection <= 0 {
		o.SessionsPerConnection = DefaultSSHSessionsPerConnection
	}
	if o.home == "" {
		o.home, _ = os.UserHomeDir()
	}
	if o.systemConfig == "" {
		o.systemConfig = "/etc/ssh/ssh_config"
		if data := os.Getenv("ProgramData"); data != "" && os.PathSeparator == '\\' {
			o.systemConfig = filepath.Join(data, "ssh", "ssh_config")
		}
	}
	return o
}

// localUserName is the name the remote user has when nobody says otherwise.
func localUserName() string {
	u, err := user.Current()
	if err != nil {
		return os.Getenv("USER")
	}
	name := u.Username
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // DOMAIN\user on Windows
		name = name[i+1:]
	}
	return name
}
