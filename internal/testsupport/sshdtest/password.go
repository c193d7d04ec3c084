package sshdtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// PasswordServer is an ssh server in the test's own process: sshd checks passwords against the
// system's accounts only. It runs commands as sshd does, without a terminal.
type PasswordServer struct {
	// Port is where it listens on 127.0.0.1.
	Port string
	// ConfigFile is a client configuration that describes the server as the host "box".
	ConfigFile string

	session  func(ssh.Channel, <-chan *ssh.Request)
	listener net.Listener
	running  sync.WaitGroup
	mu       sync.Mutex // guards conns
	conns    []net.Conn
}

// NewPasswordServer starts a server whose config says who may log in; it ends with the test.
func NewPasswordServer(tb testing.TB, config *ssh.ServerConfig) *PasswordServer {
	tb.Helper()
	return NewSessionServer(tb, config, runCommand)
}

// NewSessionServer is NewPasswordServer with a function that serves each session, for hosts that do
// something else than sshd. A session is closed when the function returns.
func NewSessionServer(tb testing.TB, config *ssh.ServerConfig, session func(ssh.Channel, <-chan *ssh.Request)) *PasswordServer {
	tb.Helper()
	dir := tb.TempDir()
	key := filepath.Join(dir, "host_key")
	Keygen(tb, key)
	signer, err := ssh.ParsePrivateKey([]byte(Read(tb, key)))
	if err != nil {
		tb.Fatal(err)
	}
	config.AddHostKey(signer)
	s := &PasswordServer{session: session, ConfigFile: filepath.Join(dir, "ssh_config")}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	_, s.Port, _ = net.SplitHostPort(s.listener.Addr().String())
	known := filepath.Join(dir, "known_hosts")
	Write(tb, known, fmt.Sprintf("[127.0.0.1]:%s %s", s.Port, Read(tb, key+".pub")))
	Write(tb, s.ConfigFile, strings.Join([]string{
		"Host " + Alias, "HostName 127.0.0.1", "Port " + s.Port, "User alice", "IdentityAgent none",
		"UserKnownHostsFile " + known, "GlobalKnownHostsFile " + os.DevNull, "StrictHostKeyChecking yes",
	}, "\n")+"\n")
	s.running.Go(func() { s.accept(config) })
	tb.Cleanup(func() {
		s.listener.Close()
		s.mu.Lock()
		for _, conn := range s.conns {
			conn.Close()
		}
		s.mu.Unlock()
		s.running.Wait()
	})
	return s
}

func (s *PasswordServer) accept(config *ssh.ServerConfig) {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		s.running.Go(func() { s.serve(conn, config) })
	}
}

func (s *PasswordServer) serve(conn net.Conn, config *ssh.ServerConfig) {
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		conn.Close()
		return
	}
	s.running.Go(func() { ssh.DiscardRequests(requests) })
	for open := range channels {
		channel, requests, err := open.Accept()
		if err != nil {
			continue
		}
		s.running.Go(func() {
			defer channel.Close()
			s.session(channel, requests)
		})
	}
	_ = server.Wait()
}

// runCommand is the session of a host that runs commands.
func runCommand(channel ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		if request.Type != "exec" {
			_ = request.Reply(false, nil)
			continue
		}
		var run struct{ Command string }
		if ssh.Unmarshal(request.Payload, &run) != nil {
			return
		}
		_ = request.Reply(true, nil)
		go ssh.DiscardRequests(requests)
		cmd := exec.Command("/bin/sh", "-c", run.Command)
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
		stdin, err := cmd.StdinPipe()
		if err != nil || cmd.Start() != nil {
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 32<<10)
			for {
				n, err := channel.Read(buf)
				_, failed := stdin.Write(buf[:n])
				if err != nil || failed != nil {
					stdin.Close()
					return
				}
			}
		}()
		var status struct{ Code uint32 }
		var exit *exec.ExitError
		if errors.As(cmd.Wait(), &exit) {
			status.Code = uint32(exit.ExitCode())
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&status))
		channel.Close()
		<-done
		return
	}
}
