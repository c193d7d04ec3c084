package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// alias is what the client configuration calls the server behind the relay.
const alias = "faraway"

// sshServer is an OpenSSH server on a loopback port, with keys and a configuration of its own, behind a relay.
type sshServer struct {
	relay      *relay
	configFile string // for clients: the host is alias, and the way there is the relay
	user       string
	signer     ssh.Signer    // lets the user in
	hostKey    ssh.PublicKey // the server's

	dir    string
	cmd    *exec.Cmd
	log    *os.File
	exited chan struct{}
}

// findOpenSSH returns the server's path, and what of OpenSSH is not installed, "" if nothing is missing.
func findOpenSSH() (sshd, missing string) {
	var names []string
	for _, name := range []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if path, err := exec.LookPath(name); err == nil && sshd == "" {
			sshd, _ = filepath.Abs(path) // sshd runs itself again, and insists on a full path
		}
	}
	if sshd == "" {
		names = append(names, "sshd")
	}
	if _, err := exec.LookPath("ssh"); err != nil {
		names = append(names, "ssh")
	}
	return sshd, strings.Join(names, " and ")
}

func startSSHServer(ctx context.Context, sshd string) (_ *sshServer, err error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	s := &sshServer{user: me.Username, exited: make(chan struct{})}
	if s.dir, err = os.MkdirTemp("", "execnet-bench-ssh-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	hostKey, host, err := s.newKey("host_key")
	if err != nil {
		return nil, err
	}
	userKey, signer, err := s.newKey("id")
	if err != nil {
		return nil, err
	}
	s.signer, s.hostKey = signer, host.PublicKey()
	if me.Uid == "0" { // sshd wants it for its separated half
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return nil, err
		}
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.write("authorized_keys", userKey), s.write("sshd_config",
		"ListenAddress "+address,
		"HostKey "+s.path("host_key"),
		"PidFile none",
		"AuthorizedKeysFile "+s.path("authorized_keys"),
		"StrictModes no",
		"UsePAM no",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"PermitRootLogin yes",
		"UseDNS no",
		"SetEnv SHLVL=2", // at that level bash leaves the user's .bashrc alone
	))
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, sshd, address); err != nil {
		return nil, err
	}
	if s.relay, err = startRelay(address); err != nil {
		return nil, err
	}
	s.configFile = s.path("ssh_config")
	return s, errors.Join(s.write("known_hosts", "[127.0.0.1]:"+s.relay.port+" "+hostKey), s.write("ssh_config",
		"Host "+alias,
		"HostName 127.0.0.1",
		"Port "+s.relay.port,
		"User "+s.user,
		"IdentityFile "+s.path("id"),
		"IdentitiesOnly yes",
		"IdentityAgent none",
		"UserKnownHostsFile "+s.path("known_hosts"),
		"GlobalKnownHostsFile "+os.DevNull,
		"StrictHostKeyChecking yes",
	))
}

func (s *sshServer) path(name string) string { return filepath.Join(s.dir, name) }

func (s *sshServer) write(name string, lines ...string) error {
	return os.WriteFile(s.path(name), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// newKey writes a private key and returns the public one as it stands in files, and the signer.
func (s *sshServer) newKey(name string) (public string, signer ssh.Signer, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "bench")
	if err != nil {
		return "", nil, err
	}
	if signer, err = ssh.NewSignerFromKey(key); err != nil {
		return "", nil, err
	}
	public = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	err = errors.Join(s.write(name+".pub", public), s.write(name, strings.TrimSpace(string(pem.EncodeToMemory(block)))))
	return public, signer, err
}

// freeAddress is a loopback address nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// start runs sshd and waits until it says that it listens.
func (s *sshServer) start(ctx context.Context, sshd, address string) (err error) {
	if s.log, err = os.Create(s.path("log")); err != nil {
		return err
	}
	s.cmd = exec.Command(sshd, "-D", "-e", "-f", s.path("sshd_config"))
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // its log says why it ends
		close(s.exited)
	}()
	for deadline := time.After(10 * time.Second); ; {
		text, err := os.ReadFile(s.log.Name())
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("Server listening on")) {
			return nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-s.exited:
			return fmt.Errorf("sshd does not start: %s", text)
		case <-deadline:
			return fmt.Errorf("sshd does not listen on %s: %s", address, text)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close ends the server. The connections end with the relay, and with them their processes.
func (s *sshServer) close() error {
	var err error
	if s.relay != nil {
		err = s.relay.close()
	}
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill() // it may have ended by itself
		<-s.exited
	}
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
