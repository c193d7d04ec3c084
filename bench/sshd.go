package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/relay"
)

// sshServer is an OpenSSH server on a loopback port, behind a relay.
type sshServer struct {
	*opensshd.Server
	relay *relay.Relay
}

// missingSSH names the programs of OpenSSH that are not installed; "" if all are.
func missingSSH() string {
	var names []string
	if _, err := opensshd.Find(); err != nil {
		names = append(names, "sshd")
	}
	if _, err := exec.LookPath("ssh"); err != nil {
		names = append(names, "ssh")
	}
	return strings.Join(names, " and ")
}

// sshServer returns the server of all measurements over ssh, which the first of them starts.
func (b *bench) sshServer(ctx context.Context) (_ *sshServer, err error) {
	if b.sshd == nil {
		b.sshd, err = startSSHServer(ctx)
	}
	return b.sshd, err
}

// sshHosts returns so many servers, each with a cache folder of its own.
func (b *bench) sshHosts(ctx context.Context, n int) ([]*sshServer, error) {
	for len(b.hosts) < n {
		host, err := startSSHServer(ctx)
		if err != nil {
			return nil, err
		}
		b.hosts = append(b.hosts, host)
	}
	return b.hosts[:n], nil
}

func startSSHServer(ctx context.Context) (_ *sshServer, err error) {
	dir, err := os.MkdirTemp("", "execnet-bench-ssh-")
	if err != nil {
		return nil, err
	}
	s := &sshServer{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(), os.RemoveAll(dir))
		}
	}()
	env := `SetEnv SHLVL=2 "XDG_CACHE_HOME=` + cacheIn(dir) + `"`
	if s.Server, err = opensshd.Start(ctx, dir, env, "Subsystem sftp internal-sftp"); err != nil {
		return nil, err
	}
	if s.relay, err = relay.Start(s.Addr); err != nil {
		return nil, err
	}
	return s, s.Describe(s.relay.Port)
}

func cacheIn(dir string) string { return filepath.Join(dir, "cache") }

// cache is where the server's user has caches, and copied where scp copies to.
func (s *sshServer) cache() string  { return cacheIn(s.Dir) }
func (s *sshServer) copied() string { return filepath.Join(s.Dir, "copied") }

// close ends the relay, the connections with it, and the server.
func (s *sshServer) close() error {
	var err error
	if s.relay != nil {
		err = s.relay.Close()
	}
	if s.Server != nil {
		s.Stop()
		err = errors.Join(err, os.RemoveAll(s.Dir))
	}
	return err
}

// spec is the spec of a gateway to the interpreter on the server.
func (s *sshServer) spec(python interpreter) string {
	return "ssh=" + opensshd.Alias + "//ssh_config=" + s.ConfigFile + "//python=" + shellquote.Join(python.path) + " " + fastFlags
}

// selfSpec is the spec of a gateway to this program on the server.
func (s *sshServer) selfSpec() string {
	return "ssh=" + opensshd.Alias + "//ssh_config=" + s.ConfigFile + "//self"
}

// handshake connects and logs in with the library that this module's own client uses, and does
// nothing else.
func (s *sshServer) handshake(ctx context.Context) (took time.Duration, err error) {
	config, err := s.clientConfig()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	stream, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.relay.Addr)
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	conn, channels, requests, err := ssh.NewClientConn(stream, s.relay.Addr, config)
	took = time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, ssh.NewClient(conn, channels, requests).Close()
}

func (s *sshServer) clientConfig() (*ssh.ClientConfig, error) {
	identity, err1 := os.ReadFile(s.IdentityFile)
	host, err2 := os.ReadFile(s.HostKeyFile + ".pub")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	signer, err1 := ssh.ParsePrivateKey(identity)
	hostKey, _, _, _, err2 := ssh.ParseAuthorizedKey(host)
	return &ssh.ClientConfig{
		User: s.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(hostKey),
	}, errors.Join(err1, err2)
}
