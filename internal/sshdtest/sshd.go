// Package sshdtest starts real OpenSSH servers for tests, each on a loopback port with keys and a configuration of its
// own, and writes the client's side of it: keys, known_hosts and an ssh configuration in which the server is "box".
package sshdtest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-execnet/execnet/internal/pythons"
)

// Alias is the name that a server has in its client configuration.
const Alias = "box"

// Server is a running sshd.
type Server struct {
	// Addr is "127.0.0.1:port", and Port the port alone.
	Addr, Port string
	// User is who may log in: the user who runs the test.
	User string
	// Dir holds everything below. It goes with the test.
	Dir string
	// ConfigFile is a client configuration that describes the server as the host "box".
	ConfigFile string
	// IdentityFile is a private key that the server accepts, HostKeyFile the server's own (with ".pub" the public ones).
	IdentityFile, HostKeyFile string
	// KnownHostsFile knows the server's key.
	KnownHostsFile string
	// AuthorizedKeysFile lists the keys that may log in; a test may add to it.
	AuthorizedKeysFile string

	cmd  *exec.Cmd
	log  *logBuffer
	once sync.Once
}

// Start starts a server and stops it when the test ends. The lines of extra are put in front of its configuration, where
// they count more than what stands there already: "MaxSessions 2", "TrustedUserCAKeys FILE".
func Start(tb testing.TB, extra ...string) *Server {
	tb.Helper()
	sshd := find(tb)
	me, err := user.Current()
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{User: me.Username, Dir: tb.TempDir(), log: &logBuffer{}}
	s.HostKeyFile = s.path("host_key")
	s.IdentityFile = s.path("id_test")
	s.KnownHostsFile = s.path("known_hosts")
	s.AuthorizedKeysFile = s.path("authorized_keys")
	s.ConfigFile = s.path("ssh_config")
	Keygen(tb, s.HostKeyFile)
	Keygen(tb, s.IdentityFile)
	Copy(tb, s.IdentityFile+".pub", s.AuthorizedKeysFile)
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd wants it for its separated half
			tb.Fatal(err)
		}
	}
	s.run(tb, sshd, extra)
	s.AddKnownHost(tb, s.HostKeyFile+".pub")
	Write(tb, s.ConfigFile, s.ClientConfig())
	return s
}

// ClientConfig is the text of ConfigFile.
func (s *Server) ClientConfig() string {
	return strings.Join([]string{
		"Host " + Alias,
		"  HostName 127.0.0.1",
		"  Port " + s.Port,
		"  User " + s.User,
		"  IdentityFile " + s.IdentityFile,
		"  IdentitiesOnly yes",
		"  IdentityAgent none",
		"  UserKnownHostsFile " + s.KnownHostsFile,
		"  GlobalKnownHostsFile " + os.DevNull,
		"  StrictHostKeyChecking yes",
	}, "\n") + "\n"
}

// Spec is the specification of a gateway on the server; python= and other keys may be added behind it.
func (s *Server) Spec() string { return "ssh=" + Alias + "//ssh_config=" + s.ConfigFile }

// Log returns what sshd has logged so far.
func (s *Server) Log() string { return s.log.String() }

// Stop ends the server and every connection to it. It may be called before the test ends.
func (s *Server) Stop() {
	s.once.Do(func() {
		// Each connection has a process of its own; they are sshd's group.
		killGroup(s.cmd)
		_ = s.cmd.Wait()
	})
}

// AddKnownHost adds the server to its known_hosts file, with the key of a .pub file.
func (s *Server) AddKnownHost(tb testing.TB, publicKeyFile string) {
	tb.Helper()
	key := strings.Join(strings.Fields(Read(tb, publicKeyFile))[:2], " ")
	old, err := os.ReadFile(s.KnownHostsFile)
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	Write(tb, s.KnownHostsFile, string(old)+"[127.0.0.1]:"+s.Port+" "+key+"\n")
}

func (s *Server) path(name string) string { return filepath.Join(s.Dir, name) }

// run starts sshd, on another port when somebody was faster in taking the chosen one.
func (s *Server) run(tb testing.TB, sshd string, extra []string) {
	tb.Helper()
	for attempt := 0; ; attempt++ {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		s.Addr = listener.Addr().String()
		_, s.Port, _ = net.SplitHostPort(s.Addr)
		listener.Close()
		config := strings.Join(append(append([]string{}, extra...),
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
			`SetEnv "PATH=`+searchPath(tb)+`" SHLVL=2`, // at that level bash leaves the user's .bashrc alone
		), "\n") + "\n"
		Write(tb, s.path("sshd_config"), config)
		s.cmd = exec.Command(sshd, "-D", "-e", "-f", s.path("sshd_config"))
		s.cmd.Stderr = s.log
		newGroup(s.cmd)
		if err := s.cmd.Start(); err != nil {
			tb.Fatal(err)
		}
		if s.waitForPort() {
			tb.Cleanup(s.Stop)
			return
		}
		killGroup(s.cmd)
		_ = s.cmd.Wait()
		if attempt == 3 {
			tb.Fatalf("sshd does not start:\n%s", s.Log())
		}
	}
}

func (s *Server) waitForPort() bool {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if strings.Contains(s.Log(), "Server listening on") {
			return true
		}
		if strings.Contains(s.Log(), "Cannot bind") || strings.Contains(s.Log(), "Bad configuration") {
			return false
		}
		time.Sleep(2 * time.Millisecond)
	}
	return false
}

// searchPath is this process's PATH with the real python3 in front: the first one may be a slow shim.
func searchPath(tb testing.TB) string {
	tb.Helper()
	return filepath.Dir(pythons.Default(tb).Path) + string(os.PathListSeparator) + os.Getenv("PATH")
}

func find(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if path, err := exec.LookPath(name); err == nil {
			if path, err = filepath.Abs(path); err == nil { // sshd runs itself again, and insists on a full path
				return path
			}
		}
	}
	tb.Fatal("no sshd found: install an OpenSSH server (on Debian and Ubuntu: apt-get install openssh-server); it need not run")
	return ""
}

// Keygen makes an ed25519 key without a passphrase in file and file.pub; args are further arguments for ssh-keygen, as
// "-N", "secret".
func Keygen(tb testing.TB, file string, args ...string) {
	tb.Helper()
	all := []string{"-q", "-t", "ed25519", "-C", "test", "-f", file}
	if !strings.Contains(" "+strings.Join(args, " "), " -N ") {
		all = append(all, "-N", "")
	}
	Run(tb, "ssh-keygen", append(all, args...)...)
}

// Run runs a command to its end and fails the test if it fails. It returns what the command printed.
func Run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Read, Write and Copy are the file operations that tests of ssh need all the time; Write makes files only the user may
// read.
func Read(tb testing.TB, file string) string {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// Write replaces a file.
func Write(tb testing.TB, file, content string) {
	tb.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Copy copies a file.
func Copy(tb testing.TB, from, to string) {
	tb.Helper()
	Write(tb, to, Read(tb, from))
}

// logBuffer is a buffer that one may read while sshd writes.
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
