// Package opensshd runs OpenSSH's server for tests and measurements, on a loopback port with keys
// and a configuration of its own, and writes the client's side of it: keys, known_hosts and an ssh
// configuration.
package opensshd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Alias is the name that a server has in its client configuration.
const Alias = "box"

// Server is a running sshd.
type Server struct {
	// Addr is "127.0.0.1:port", and Port the port alone.
	Addr, Port string
	// User is who may log in: the user who runs this program.
	User string
	// Dir holds everything below.
	Dir string
	// ConfigFile is a client configuration that describes the server as the host "box".
	ConfigFile string
	// IdentityFile is a private key that the server accepts, HostKeyFile the server's own (with
	// ".pub" the public ones).
	IdentityFile, HostKeyFile string
	// KnownHostsFile knows the server's key.
	KnownHostsFile string
	// AuthorizedKeysFile lists the keys that may log in; more may be added.
	AuthorizedKeysFile string

	cmd    *exec.Cmd
	log    logBuffer
	exited chan struct{} // closed when sshd has ended

	stopping sync.Once
}

// Find returns the path of sshd, or an error that says what to install.
func Find() (string, error) {
	for _, name := range []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path) // sshd runs itself again, and insists on a full path
		}
	}
	return "", errors.New("no sshd found: install an OpenSSH server (on Debian and Ubuntu: apt-get install openssh-server); it need not run")
}

// Start starts a server whose files are in dir. The lines of extra, such as "MaxSessions 2", are
// put in front of its configuration, where they take precedence. The caller ends it with Stop.
func Start(ctx context.Context, dir string, extra ...string) (*Server, error) {
	sshd, err := Find()
	if err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	s := &Server{User: me.Username, Dir: dir}
	s.HostKeyFile = s.path("host_key")
	s.IdentityFile = s.path("id_test")
	s.KnownHostsFile = s.path("known_hosts")
	s.AuthorizedKeysFile = s.path("authorized_keys")
	s.ConfigFile = s.path("ssh_config")
	if _, err := newKey(s.HostKeyFile); err != nil {
		return nil, err
	}
	public, err := newKey(s.IdentityFile)
	if err != nil {
		return nil, err
	}
	if err := writeLines(s.AuthorizedKeysFile, public); err != nil {
		return nil, err
	}
	if me.Uid == "0" { // sshd needs it for the separation of privileges
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.run(ctx, sshd, extra); err != nil {
		return nil, err
	}
	if err := s.Describe(s.Port); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Describe writes ConfigFile, and adds to KnownHostsFile, for clients that get to the server
// through a port of this machine.
func (s *Server) Describe(port string) error {
	if err := s.AddKnownHost(port, s.HostKeyFile+".pub"); err != nil {
		return err
	}
	return os.WriteFile(s.ConfigFile, []byte(s.ClientConfig(port)), 0o600)
}

// ClientConfig is the text that Describe writes to ConfigFile.
func (s *Server) ClientConfig(port string) string {
	return strings.Join([]string{
		"Host " + Alias,
		"  HostName 127.0.0.1",
		"  Port " + port,
		"  User " + s.User,
		"  IdentityFile " + s.IdentityFile,
		"  IdentitiesOnly yes",
		"  IdentityAgent none",
		"  UserKnownHostsFile " + s.KnownHostsFile,
		"  GlobalKnownHostsFile " + os.DevNull,
		"  StrictHostKeyChecking yes",
	}, "\n") + "\n"
}

// AddKnownHost adds a port of this machine to the server's known_hosts file, with the key of a .pub
// file.
func (s *Server) AddKnownHost(port, publicKeyFile string) error {
	key, err := os.ReadFile(publicKeyFile)
	if err != nil {
		return err
	}
	words := strings.Fields(string(key))
	if len(words) < 2 {
		return fmt.Errorf("no public key in %s", publicKeyFile)
	}
	old, err := os.ReadFile(s.KnownHostsFile)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return writeLines(s.KnownHostsFile, string(old)+"[127.0.0.1]:"+port+" "+words[0]+" "+words[1])
}

// Log is what sshd has logged so far.
func (s *Server) Log() string { return s.log.String() }

// Stop ends the server and every connection to it.
func (s *Server) Stop() {
	s.stopping.Do(func() {
		killGroup(s.cmd) // each connection has a process of its own; they are sshd's group
		<-s.exited
	})
}

func (s *Server) path(name string) string { return filepath.Join(s.Dir, name) }

// run starts sshd, on another port if the chosen one is taken meanwhile.
func (s *Server) run(ctx context.Context, sshd string, extra []string) error {
	for attempt := 0; ; attempt++ {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.Addr = listener.Addr().String()
		_, s.Port, _ = net.SplitHostPort(s.Addr)
		listener.Close()
		err = writeLines(s.path("sshd_config"), append(append([]string{}, extra...),
			"ListenAddress "+s.Addr,
			"HostKey "+s.HostKeyFile,
			"PidFile none",
			"AuthorizedKeysFile "+s.AuthorizedKeysFile,
			"StrictModes no",
			"UsePAM no",
			"PasswordAuthentication no",
			"KbdInteractiveAuthentication no",
			"PermitRootLogin yes",
			"UseDNS no",
			"LogLevel VERBOSE",
			"SetEnv SHLVL=2", // at that level bash leaves the user's .bashrc alone
		)...)
		if err != nil {
			return err
		}
		s.cmd = exec.Command(sshd, "-D", "-e", "-f", s.path("sshd_config"))
		s.cmd.Stderr = &s.log
		newGroup(s.cmd)
		if err := s.cmd.Start(); err != nil {
			return err
		}
		s.exited = make(chan struct{})
		go func() {
			_ = s.cmd.Wait() // its log says why it ends
			close(s.exited)
		}()
		err = s.waitForPort(ctx)
		if err == nil {
			return nil
		}
		killGroup(s.cmd)
		<-s.exited
		if attempt == 3 || ctx.Err() != nil {
			return err
		}
	}
}

// waitForPort waits until sshd says that it listens.
func (s *Server) waitForPort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for !strings.Contains(s.Log(), "Server listening on 127.0.0.1 port "+s.Port) {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-s.exited:
			return fmt.Errorf("sshd does not start:\n%s", s.Log())
		case <-ctx.Done():
			return fmt.Errorf("sshd does not listen on %s: %w:\n%s", s.Addr, ctx.Err(), s.Log())
		}
	}
	return nil
}

// writeLines replaces a file that only the user may read.
func writeLines(file string, lines ...string) error {
	return os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// logBuffer is a buffer that can be read while sshd writes.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
