//go:build unix

package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

// bootstrapping is the command line of a driver.
const bootstrapping = `execnet -c "` + cmdline.BootstrapLine + `"`

// sshServer is an SSH server that runs, and what a client needs.
type sshServer struct {
	addr, port string
	log        *lineLog
	end        func() error
	dir        string
	key        string // a private key that may log in
	keys       string // the file of authorized keys
	signer     ssh.Signer
	hostKey    ssh.PublicKey
	config     string // an ssh configuration that names the server box
}

// privateDir is t.TempDir that others cannot write to, whatever the umask.
func privateDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	return dir
}

func startSSH(t *testing.T, command Command) *sshServer {
	t.Helper()
	dir := privateDir(t)
	s := &sshServer{log: newLog(), dir: dir, key: filepath.Join(dir, "id"), keys: filepath.Join(dir, "authorized_keys"), config: filepath.Join(dir, "config")}
	sshdtest.Keygen(t, s.key)
	sshdtest.Copy(t, s.key+".pub", s.keys)
	host, err := HostKey(filepath.Join(dir, "made", "host_key"))
	require.NoError(t, err)
	s.hostKey = host.PublicKey()
	s.signer, err = ssh.ParsePrivateKey([]byte(sshdtest.Read(t, s.key)))
	require.NoError(t, err)
	l := listen(t)
	s.addr = l.Addr().String()
	_, s.port, _ = net.SplitHostPort(s.addr)
	sshdtest.Write(t, filepath.Join(dir, "known_hosts"), "[127.0.0.1]:"+s.port+" "+string(ssh.MarshalAuthorizedKey(s.hostKey)))
	sshdtest.Write(t, s.config, strings.Join([]string{
		"Host box", "HostName 127.0.0.1", "Port " + s.port, "User anybody", "IdentityFile " + s.key, "IdentitiesOnly yes",
		"IdentityAgent none", "UserKnownHostsFile " + filepath.Join(dir, "known_hosts"), "GlobalKnownHostsFile " + os.DevNull,
		"StrictHostKeyChecking yes", "BatchMode yes", "SendEnv LANG",
	}, "\n")+"\n")
	s.end = serving(t, func(ctx context.Context) error {
		return SSH{Command: command, HostKey: host, AuthorizedKeys: s.keys, Log: s.log}.Serve(ctx, l)
	})
	return s
}

// client logs in.
func (s *sshServer) client(t *testing.T) *ssh.Client {
	t.Helper()
	client, err := s.login(s.signer)
	require.NoError(t, err)
	t.Cleanup(func() {
		client.Close()
		_ = client.Wait()
	})
	return client
}

func (s *sshServer) login(key ssh.Signer) (*ssh.Client, error) {
	return ssh.Dial("tcp", s.addr, &ssh.ClientConfig{
		User: "anybody", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(s.hostKey), Timeout: 10 * time.Second,
	})
}

// sshRun is a session with a worker.
type sshRun struct {
	*ssh.Session
	in  io.WriteCloser
	out *bufio.Reader
	pid int
}

func begin(t *testing.T, client *ssh.Client) *sshRun {
	t.Helper()
	session, err := client.NewSession()
	require.NoError(t, err)
	r := &sshRun{Session: session}
	r.in, err = session.StdinPipe()
	require.NoError(t, err)
	out, err := session.StdoutPipe()
	require.NoError(t, err)
	r.out = bufio.NewReader(out)
	require.NoError(t, session.Start(bootstrapping))
	_, err = io.WriteString(r.in, "'hello'\n")
	require.NoError(t, err)
	answer, err := r.out.ReadString('\n')
	require.NoError(t, err)
	r.pid, err = strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(answer), "1"))
	require.NoError(t, err)
	return r
}

func TestSSHSession(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	r := begin(t, s.client(t))
	sent := strings.Repeat("0123456789abcdef", 1<<17)
	go func() {
		_, _ = io.WriteString(r.in, sent)
		r.in.Close()
	}()
	got, err := io.ReadAll(r.out)
	require.NoError(t, err)
	assert.True(t, sent == string(got), "%d bytes came of %d", len(got), len(sent))
	var exit *ssh.ExitError
	require.ErrorAs(t, r.Wait(), &exit)
	assert.Equal(t, 3, exit.ExitStatus())
	assertGone(t, r.pid)
	s.log.await(t, "ended", 1)
	assert.Contains(t, s.log.String(), `user "anybody" logged in with the key SHA256:`)
}

func TestSSHWorkerIsKilled(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	r := begin(t, s.client(t))
	require.NoError(t, syscall.Kill(r.pid, syscall.SIGKILL))
	_, err := r.out.ReadByte()
	assert.ErrorIs(t, err, io.EOF)
	var exit *ssh.ExitError
	require.ErrorAs(t, r.Wait(), &exit)
	assert.Equal(t, "KILL", exit.Signal())
}

func TestSSHSignals(t *testing.T) {
	s := startSSH(t, worker(t, "stubborn"))
	client := s.client(t)
	for signal, takes := range map[ssh.Signal][2]time.Duration{ssh.SIGKILL: {0, gracePeriod}, ssh.SIGTERM: {gracePeriod, gracePeriod + 15*time.Second}} {
		r := begin(t, client)
		start := time.Now()
		require.NoError(t, r.Signal(signal))
		var exit *ssh.ExitError
		require.ErrorAs(t, r.Wait(), &exit)
		assert.Equal(t, "KILL", exit.Signal())
		took := time.Since(start)
		assert.GreaterOrEqual(t, took, takes[0])
		assert.Less(t, took, takes[1])
		assertGone(t, r.pid)
	}
}

func TestSSHStderr(t *testing.T) {
	s := startSSH(t, worker(t, "stderr"))
	session, err := s.client(t).NewSession()
	require.NoError(t, err)
	session.Stdin = strings.NewReader("'hello'\n")
	var stderr bytes.Buffer
	session.Stderr = &stderr
	require.NoError(t, session.Run(bootstrapping))
	assert.Equal(t, "first line: 'hello'\n", stderr.String())
}

func TestSSHClientGoes(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	client := s.client(t)
	first, second := begin(t, client), begin(t, client)
	require.NoError(t, first.Close())
	s.log.await(t, fmt.Sprintf("worker %d ended", first.pid), 1)
	assert.NoError(t, syscall.Kill(second.pid, 0))
	client.Close()
	s.log.await(t, fmt.Sprintf("worker %d ended", second.pid), 1)
	s.log.await(t, "disconnected", 1)
	assertGone(t, first.pid)
	assertGone(t, second.pid)
}

func TestSSHServerEnds(t *testing.T) {
	s := startSSH(t, worker(t, "stubborn"))
	r, idle := begin(t, s.client(t)), s.client(t)
	assert.ErrorIs(t, s.end(), context.Canceled)
	var exit *ssh.ExitError
	require.ErrorAs(t, r.Wait(), &exit, "the client is told")
	assert.Equal(t, "KILL", exit.Signal())
	assertGone(t, r.pid)
	assert.Error(t, idle.Wait())
}

func TestSSHServerEndsWhileNobodyReads(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	client := s.client(t)
	r := begin(t, client)
	go func() { _, _ = r.in.Write(make([]byte, 16<<20)) }()
	s.log.await(t, "started", 1)
	assert.ErrorIs(t, s.end(), context.Canceled)
	assertGone(t, r.pid)
}

func TestSSHManySessions(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	client := s.client(t)
	var runs []*sshRun
	for range maxSessions {
		runs = append(runs, begin(t, client))
	}
	_, err := client.NewSession()
	var refused *ssh.OpenChannelError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, ssh.ResourceShortage, refused.Reason)
	assert.ErrorIs(t, s.end(), context.Canceled)
	for _, r := range runs {
		assertGone(t, r.pid)
	}
}

func TestSSHRefusesEverythingElse(t *testing.T) {
	s := startSSH(t, Command{Args: []string{"must not be started"}})
	client := s.client(t)
	for _, command := range []string{"id", "", "python3", "python3 -c 'print(1)'", bootstrapping + "; id", "rm -rf /; " + bootstrapping, strings.Repeat("x", 100_000)} {
		session, err := client.NewSession()
		require.NoError(t, err)
		var stderr bytes.Buffer
		session.Stderr = &stderr
		var exit *ssh.ExitError
		require.ErrorAs(t, session.Run(command), &exit, command)
		assert.Equal(t, 127, exit.ExitStatus())
		assert.Contains(t, stderr.String(), "execnet sshserver: ")
		assert.Less(t, stderr.Len(), 1000)
	}
	session, err := client.NewSession()
	require.NoError(t, err)
	assert.Error(t, session.Setenv("LANG", "C"))
	assert.Error(t, session.RequestPty("xterm", 25, 80, nil))
	assert.Error(t, session.RequestSubsystem("sftp"))
	var exit *ssh.ExitError
	require.NoError(t, session.Shell())
	require.ErrorAs(t, session.Wait(), &exit)
	assert.Equal(t, 127, exit.ExitStatus())

	_, err = client.Dial("tcp", s.addr)
	assert.ErrorContains(t, err, "administratively prohibited")
	_, err = client.Listen("tcp", "127.0.0.1:0")
	assert.ErrorContains(t, err, "denied")
	assert.NotContains(t, s.log.String(), "started")
}

func TestSSHLogins(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	stranger := filepath.Join(s.dir, "stranger")
	sshdtest.Keygen(t, stranger)
	key, err := ssh.ParsePrivateKey([]byte(sshdtest.Read(t, stranger)))
	require.NoError(t, err)
	public := sshdtest.Read(t, stranger+".pub")
	denied := func(why string) {
		t.Helper()
		_, err := s.login(key)
		assert.ErrorContains(t, err, "unable to authenticate")
		s.log.await(t, why, 1)
	}
	allowed := func() {
		t.Helper()
		client, err := s.login(key)
		require.NoError(t, err)
		client.Close()
		_ = client.Wait()
	}
	denied("this key is not in the file")
	sshdtest.Write(t, s.keys, "# a comment\nnonsense\n\n"+`restrict,no-X11-forwarding `+public)
	allowed()
	sshdtest.Write(t, s.keys, `command="id" `+public+public)
	denied(`:1: this key has the option "command=\"id\"", which this server cannot honour`)
	sshdtest.Write(t, s.keys, `no-pty,from="10.0.0.1" `+public)
	denied(`from=\"10.0.0.1\"`)
	sshdtest.Write(t, s.keys, "cert-authority "+public)
	denied("cert-authority")
	require.NoError(t, os.Chmod(s.keys, 0o620))
	denied("others can write to it")
	require.NoError(t, os.Remove(s.keys))
	denied("no such file")
	sshdtest.Write(t, s.keys, public)
	allowed()

	// A certificate is not the key inside it, even if it is listed.
	sshdtest.Run(t, "ssh-keygen", "-q", "-s", s.key, "-I", "x", "-n", "anybody", stranger+".pub")
	line := sshdtest.Read(t, stranger+"-cert.pub")
	sshdtest.Write(t, s.keys, line)
	certificate, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	require.NoError(t, err)
	signer, err := ssh.NewCertSigner(certificate.(*ssh.Certificate), key)
	require.NoError(t, err)
	_, err = s.login(signer)
	assert.Error(t, err)

	_, err = ssh.Dial("tcp", s.addr, &ssh.ClientConfig{User: "root", Auth: []ssh.AuthMethod{ssh.Password("")}, HostKeyCallback: ssh.FixedHostKey(s.hostKey)})
	assert.ErrorContains(t, err, "unable to authenticate")
	s.log.await(t, "it showed no key", 1)
}

func TestSSHStrangers(t *testing.T) {
	s := startSSH(t, Command{Args: []string{"must not be started"}})
	for _, said := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\xee\x01\x00", "'hello'\n", strings.Repeat("\x00", 70_000), "SSH-2.0-x\r\n\xff\xff\xff\xff", ""} {
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		_, _ = io.WriteString(conn, said)
		_ = conn.(*net.TCPConn).CloseWrite() // the server may have been faster
		_, err = io.ReadAll(conn)
		if err != nil {
			assert.ErrorIs(t, err, syscall.ECONNRESET)
		}
		conn.Close()
	}
	s.log.await(t, "refused", 6)
	assert.NotContains(t, s.log.String(), "worker")
	waiting, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	defer waiting.Close()
	assert.ErrorIs(t, s.end(), context.Canceled, "it does not wait for those who say nothing")
}

func TestSSHStartups(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	var silent []net.Conn
	for range maxStartups {
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 8)) // the server's version
		require.NoError(t, err)
		silent = append(silent, conn)
	}
	_, err := s.login(s.signer)
	require.Error(t, err)
	s.log.await(t, "100 connections are logging in already", 1)
	for _, conn := range silent {
		conn.Close()
	}
	s.log.await(t, "refused: no login", maxStartups)
	s.client(t)
}

func TestSSHKeepAlive(t *testing.T) {
	usual := keepAliveInterval
	keepAliveInterval = 200 * time.Millisecond
	s := startSSH(t, worker(t, "echo"))
	t.Cleanup(func() { keepAliveInterval = usual }) // behind the server's end
	relay := sshdtest.NewRelay(t, s.addr)
	s.addr = relay.Addr
	r := begin(t, s.client(t))
	time.Sleep(3 * keepAliveInterval) // a client that answers is kept
	assert.NoError(t, syscall.Kill(r.pid, 0))
	relay.Freeze()
	s.log.await(t, "disconnected", 1)
	assertGone(t, r.pid)
}

// openssh runs the ssh command.
func (s *sshServer) openssh(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ssh", append([]string{"-F", s.config}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestSSHFromOpenSSH(t *testing.T) {
	s := startSSH(t, worker(t, "echo"))
	for _, command := range []string{bootstrapping, `nice -n 5 python3 -u -B -c "` + cmdline.BootstrapLine + `"`} {
		out, stderr, code := s.openssh(t, "'hello'\nand more", "-C", "box", command)
		assert.Regexp(t, `^1\d+\nand more$`, out)
		assert.Empty(t, stderr)
		assert.Equal(t, 3, code)
	}
	for _, args := range [][]string{{"box"}, {"-T", "box"}, {"box", "id"}} {
		_, stderr, code := s.openssh(t, "", args...)
		assert.Contains(t, stderr, "this is no sshd", args)
		assert.Equal(t, 127, code, args)
	}
	_, stderr, code := s.openssh(t, "", "-tt", "box")
	assert.Contains(t, stderr, "PTY allocation request failed")
	assert.Equal(t, 255, code)
	_, stderr, code = s.openssh(t, "", "-s", "box", "sftp")
	assert.Contains(t, stderr, "subsystem request failed")
	assert.Equal(t, 255, code)

	// Many sessions at once over one connection, and each its own worker.
	var wg sync.WaitGroup
	control := []string{"-o", "ControlMaster=auto", "-o", "ControlPersist=30", "-S", filepath.Join(s.dir, "c")}
	s.openssh(t, "'hello'\n", append(control, "box", bootstrapping)...)
	for range 10 {
		wg.Go(func() {
			out, _, code := s.openssh(t, "'hello'\n", append(control, "box", bootstrapping)...)
			assert.Regexp(t, `^1\d+\n$`, out)
			assert.Equal(t, 3, code)
		})
	}
	wg.Wait()
	s.openssh(t, "", append(control, "-O", "exit", "box")...)
	assert.Equal(t, 2+3+2+1, strings.Count(s.log.String(), "logged in"))
}

func TestHostKey(t *testing.T) {
	file := filepath.Join(privateDir(t), "a", "b", "host_key")
	var wg sync.WaitGroup
	made := make([]string, 8)
	for i := range made {
		wg.Go(func() {
			key, err := HostKey(file)
			if assert.NoError(t, err) {
				made[i] = ssh.FingerprintSHA256(key.PublicKey())
			}
		})
	}
	wg.Wait()
	for _, fingerprint := range made {
		assert.Equal(t, made[0], fingerprint)
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Len(t, left, 1)
	assert.Contains(t, sshdtest.Run(t, "ssh-keygen", "-l", "-f", file), made[0])

	require.NoError(t, os.Chmod(file, 0o640))
	_, err = HostKey(file)
	assert.ErrorContains(t, err, "others can read it")
	require.NoError(t, os.Chmod(file, 0o600))
	sshdtest.Write(t, file, "nonsense")
	_, err = HostKey(file)
	assert.ErrorContains(t, err, "cannot use the host key")
	_, err = HostKey(filepath.Join(file, "below"))
	assert.Error(t, err)
}

func TestCheckAuthorizedKeys(t *testing.T) {
	dir := privateDir(t)
	sshdtest.Keygen(t, filepath.Join(dir, "id"))
	public := sshdtest.Read(t, filepath.Join(dir, "id.pub"))
	file := filepath.Join(dir, "keys")
	sshdtest.Write(t, file, "#\n"+public+"\nnonsense\n")
	usable, problems, err := CheckAuthorizedKeys(file)
	require.NoError(t, err)
	assert.Equal(t, 1, usable)
	assert.Equal(t, []string{file + ":4: this is not a public key"}, problems)
	sshdtest.Write(t, file, `environment="A=1" `+public)
	usable, problems, err = CheckAuthorizedKeys(file)
	require.NoError(t, err)
	assert.Zero(t, usable)
	assert.Len(t, problems, 1)
	_, _, err = CheckAuthorizedKeys(dir)
	assert.Error(t, err)
	sshdtest.Write(t, file, strings.Repeat("x", maxTrustedFile+1))
	_, _, err = CheckAuthorizedKeys(file)
	assert.ErrorContains(t, err, "larger")
}
