// Package sshdtest starts ssh servers, and relays in front of them, that end with a test.
package sshdtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// Alias is the name that a server has in its client configuration.
const Alias = opensshd.Alias

// Server is a running sshd.
type Server struct{ *opensshd.Server }

// Start starts a server, which ends with the test. The lines of extra, such as "MaxSessions 2", are
// put in front of its configuration, where they take precedence.
func Start(tb testing.TB, extra ...string) *Server {
	tb.Helper()
	// The real python3 stands in front: the first one of PATH may be a slow shim.
	path := filepath.Dir(pythons.Default(tb).Path) + string(os.PathListSeparator) + os.Getenv("PATH")
	s, err := opensshd.Start(tb.Context(), tb.TempDir(), append(extra, `SetEnv "PATH=`+path+`" SHLVL=2`)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return &Server{s}
}

// ClientConfig is the text of ConfigFile.
func (s *Server) ClientConfig() string { return s.Server.ClientConfig(s.Port) }

// Spec is the spec of a gateway on the server; python= and other keys may be added behind it.
func (s *Server) Spec() string { return "ssh=" + Alias + "//ssh_config=" + s.ConfigFile }

// AddKnownHost adds the server to its known_hosts file, with the key of a .pub file.
func (s *Server) AddKnownHost(tb testing.TB, publicKeyFile string) {
	tb.Helper()
	if err := s.Server.AddKnownHost(s.Port, publicKeyFile); err != nil {
		tb.Fatal(err)
	}
}

// Keygen makes an ed25519 key without a passphrase in file and file.pub; args are further arguments
// for ssh-keygen, as "-N", "secret".
func Keygen(tb testing.TB, file string, args ...string) {
	tb.Helper()
	all := []string{"-q", "-t", "ed25519", "-C", "test", "-f", file}
	if !strings.Contains(" "+strings.Join(args, " "), " -N ") {
		all = append(all, "-N", "")
	}
	Run(tb, "ssh-keygen", append(all, args...)...)
}

// Run runs a command to its end and fails the test if it fails. It returns what the command
// printed.
func Run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Read, Write and Copy are the file operations that tests of ssh need all the time; Write makes
// files only the user may read.
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
