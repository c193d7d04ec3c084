package sshclient

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/testsupport/relay"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/timeout"
)

func hostNotFound(t *testing.T, err error) *farend.HostNotFoundError {
	t.Helper()
	var missing *farend.HostNotFoundError
	require.ErrorAs(t, err, &missing)
	return missing
}

// twoHosts writes one configuration for a server and the jump host in front of it, named "box" and
// "jump".
func twoHosts(t *testing.T, box, jump *sshdtest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, file, box.ClientConfig()+strings.Replace(jump.ClientConfig(), "Host "+sshdtest.Alias, "Host jump", 1))
	return file
}

func TestJumpHosts(t *testing.T) {
	t.Parallel()
	box, jump := sshdtest.Start(t), sshdtest.Start(t)
	file := twoHosts(t, box, jump)
	relay := sshdtest.NewRelay(t, jump.Addr)
	sshdtest.Write(t, file, sshdtest.Read(t, file)+"Host relayed\n  HostName 127.0.0.1\n  HostKeyAlias [127.0.0.1]:"+jump.Port+
		"\n  Port "+relay.Port+"\n  User "+jump.User+"\n  IdentityFile "+jump.IdentityFile+"\n  IdentityAgent none\n  UserKnownHostsFile "+
		jump.KnownHostsFile+"\n")
	pool := testPool(t, Options{})
	requireAlive(t, start(t, pool, "ssh=-J jump box//ssh_config="+file))
	assert.Contains(t, jump.Log(), "Accepted publickey")
	assert.Contains(t, box.Log(), "Accepted publickey")
	requireAlive(t, start(t, pool, "ssh=-o ProxyJump=relayed,jump box//ssh_config="+file))
	assert.Equal(t, 1, relay.Accepted())

	// Both gateways have keys of their own for box, but share the jump host's connection with a
	// third.
	requireAlive(t, start(t, pool, "ssh=jump//ssh_config="+file))
	assert.Equal(t, 3, strings.Count(jump.Log(), "Accepted publickey"), "one from here, and two for the way by the relay")

	err := hostNotFound(t, startFails(t, pool, "ssh=-J jump -p 1 box//ssh_config="+file))
	assert.Equal(t, "127.0.0.1:1", err.Host)
	assert.ErrorContains(t, err, "jump host 127.0.0.1:"+jump.Port)
	err = hostNotFound(t, startFails(t, pool, "ssh=-J nobody@127.0.0.1:1 box//ssh_config="+file))
	assert.Equal(t, "127.0.0.1:1", err.Host)
	sshdtest.Write(t, jump.KnownHostsFile, "")
	stranger := hostKeyError(t, startFails(t, testPool(t, Options{}), "ssh=-J jump box//ssh_config="+file))
	assert.Equal(t, "[127.0.0.1]:"+jump.Port, stranger.Host)
}

func TestProxyCommand(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Fatal("a POSIX shell is needed")
	}
	box, jump := sshdtest.Start(t), sshdtest.Start(t)
	file := twoHosts(t, box, jump)
	var said textbuffer.Buffer
	pool := testPool(t, Options{Stderr: &said})
	spec := func(command string) string {
		sshdtest.Write(t, file+"-proxy", "Host box\n  ProxyCommand "+command+"\n"+sshdtest.Read(t, file))
		return "ssh=box//ssh_config=" + file + "-proxy"
	}
	requireAlive(t, start(t, pool, spec(`sh -c "echo by way of %%h >&2; exec ssh -q -F `+file+` -W %h:%p jump"`)))
	assert.Contains(t, said.String(), "by way of %h\n")

	err := hostNotFound(t, startFails(t, pool, spec("sh -c 'echo no way >&2; exit 1'")))
	assert.Equal(t, "127.0.0.1:"+box.Port, err.Host)
	assert.Contains(t, said.String(), "no way")
	start := time.Now()
	err = hostNotFound(t, startFails(t, pool, "ssh=-o ConnectTimeout=1 "+strings.TrimPrefix(spec("sleep 60"), "ssh=")))
	assert.Less(t, time.Since(start), 20*time.Second)
	assert.ErrorContains(t, err, "timed out after 1s")
}

func TestHostNotFound(t *testing.T) {
	t.Parallel()
	pool := testPool(t, Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, listener.Close())

	refused := hostNotFound(t, startFails(t, pool, "ssh=-p "+port+" 127.0.0.1//ssh_config=/dev/null"))
	assert.Equal(t, "127.0.0.1:"+port, refused.Host)
	assert.EqualError(t, refused, "execnet: connection refused by 127.0.0.1:"+port)
	unknown := hostNotFound(t, startFails(t, pool, "ssh=no-such-host.invalid//ssh_config=none"))
	assert.Equal(t, "no-such-host.invalid", unknown.Host)
	var dns *net.DNSError
	assert.ErrorAs(t, unknown, &dns)
	assert.ErrorContains(t, unknown, "execnet: host not found: no-such-host.invalid: ")
}

// mute accepts connections, says what greeting is, and nothing more.
func mute(t *testing.T, greeting string) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, greeting)
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
		for _, conn := range conns {
			conn.Close()
		}
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

func TestHostThatSaysNothing(t *testing.T) {
	t.Parallel()
	pool := testPool(t, Options{})
	for _, greeting := range []string{"", "SSH-2.0-mute\r\n"} {
		port := mute(t, greeting)
		start := time.Now()
		err := hostNotFound(t, startFails(t, pool, "ssh=-o ConnectTimeout=1 -p "+port+" 127.0.0.1//ssh_config=none"))
		assert.ErrorContains(t, err, "it accepts the connection, but the ssh handshake timed out after 1s")
		assert.ErrorIs(t, err, timeout.Err)
		assert.Less(t, time.Since(start), 20*time.Second)

		ctx, cancel := context.WithCancelCause(context.Background())
		reason := errors.New("changed my mind")
		time.AfterFunc(50*time.Millisecond, func() { cancel(reason) })
		_, failure := startSpec(ctx, pool, parseSpec(t, "ssh=-p "+port+" 127.0.0.1//ssh_config=none"))
		assert.ErrorIs(t, failure, reason)
	}
	port := mute(t, "HTTP/1.1 400 Bad Request\r\n\r\n")
	hostNotFound(t, startFails(t, pool, "ssh=-o ConnectTimeout=1 -p "+port+" 127.0.0.1//ssh_config=none"))
}

// A connection that is cut ends reads, writes and Wait at once, with an error that says so; one
// over which nothing comes any more does when the keepalives have noticed.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	for name, end := range map[string]struct {
		how     func(*relay.Relay)
		options Options
		says    string
	}{
		"cut":    {(*relay.Relay).Cut, Options{AliveInterval: -1}, "connection to 127.0.0.1"},
		"frozen": {(*relay.Relay).Freeze, Options{AliveInterval: 100 * time.Millisecond, AliveCountMax: 3}, "answers nothing any more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := sshdtest.NewRelay(t, server.Addr)
			pool := testPool(t, end.options)
			spec := "ssh=-p " + relay.Port + " -o HostKeyAlias=[127.0.0.1]:" + server.Port + " box//ssh_config=" + server.ConfigFile
			pipe := start(t, pool, spec)
			requireAlive(t, pipe)
			end.how(relay)
			_, err := pipe.Read(make([]byte, 1))
			assert.ErrorContains(t, err, end.says)
			assert.NotErrorIs(t, err, io.EOF)
			require.NoError(t, pipe.Wait(soon(t)))
			_, err = pipe.Write([]byte("x"))
			assert.ErrorContains(t, err, end.says)
			assert.False(t, pipe.Exit().Known)
		})
	}
}

// Keepalives that are answered keep a silent connection open.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pipe := start(t, testPool(t, Options{AliveInterval: 50 * time.Millisecond, AliveCountMax: 8}), server.Spec())
	requireAlive(t, pipe)
	ended := make(chan error, 1)
	go func() {
		_, err := pipe.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		require.NoError(t, err, "the connection ended by itself")
	case <-time.After(time.Second):
	}
	require.NoError(t, pipe.CloseRead())
	<-ended
}

// closing accepts connections, says greeting and closes them.
func closing(t *testing.T, greeting string) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				_, _ = io.WriteString(conn, greeting)
				if greeting != "" {
					_, _ = conn.Read(make([]byte, 100)) // the client's own version
				}
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

// What is told of a host that closes the connection depends on what it has said by then.
func TestHostThatHangsUp(t *testing.T) {
	t.Parallel()
	pool := testPool(t, Options{})
	for greeting, says := range map[string]string{
		"":                             "MaxStartups",
		"Exceeded MaxStartups\r\n":     "start fewer hosts at once: Exceeded MaxStartups",
		"Not allowed at this time\r\n": "PerSourcePenalties",
		"220 mail.example.com\r\n":     `what answers there is no ssh server; it says "220 mail.example.com"`,
		"SSH-2.0-OpenSSH_9.9\r\n":      "handshake failed",
	} {
		port := closing(t, greeting)
		err := hostNotFound(t, startFails(t, pool, "ssh=-p "+port+" 127.0.0.1//ssh_config=none"))
		assert.ErrorContains(t, err, "execnet: cannot connect to 127.0.0.1:"+port+": ")
		assert.ErrorContains(t, err, says, "%q", greeting)
		if strings.HasPrefix(greeting, "SSH-") {
			assert.NotContains(t, err.Error(), "MaxStartups")
		}
	}
	server := sshdtest.Start(t, "MaxStartups 1:100:1")
	holder, err := net.Dial("tcp", server.Addr) // takes the only place, and does not log in
	require.NoError(t, err)
	defer holder.Close()
	_, err = io.ReadFull(holder, make([]byte, 4))
	require.NoError(t, err)
	assert.ErrorContains(t, hostNotFound(t, startFails(t, pool, server.Spec())), "MaxStartups")
	assert.ErrorContains(t, startFails(t, pool, "ssh=-o ProxyCommand=false box//ssh_config="+server.ConfigFile), "the ProxyCommand ended before an ssh server answered: false")
}

// A deadline is a timeout that names the host and what was being done.
func TestDeadlineNamesStep(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	silent, silentAuth := mute(t, ""), make(chan struct{})
	defer close(silentAuth)
	slowLogin := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
			<-silentAuth
			return nil, errors.New("no")
		},
	})
	noSession := sshdtest.NewRelay(t, server.Addr)
	pool := testPool(t, Options{Password: func(string, string) (string, error) { return "pw", nil }, SessionsPerConnection: 10})
	relayed := "ssh=-p " + noSession.Port + " -o HostKeyAlias=[127.0.0.1]:" + server.Port + " box//ssh_config=" + server.ConfigFile
	requireAlive(t, start(t, pool, relayed))
	noSession.Freeze()
	for spec, step := range map[string]string{
		"ssh=-p " + silent + " 127.0.0.1//ssh_config=none":              "ssh: the ssh handshake with 127.0.0.1:" + silent,
		"ssh=-J 127.0.0.1:" + silent + " box//ssh_config=none":          "ssh: connecting to the jump host 127.0.0.1:" + silent + " on the way to box",
		"ssh=box//ssh_config=" + slowLogin.ConfigFile:                   "ssh: logging in at 127.0.0.1:" + slowLogin.Port + " as alice",
		"ssh=-o ProxyCommand='sleep 60' box//ssh_config=none":           "ssh: the ssh handshake with box",
		"ssh=-o ConnectionAttempts=999 -p 1 127.0.0.1//ssh_config=none": "ssh: connecting to 127.0.0.1:1",
		relayed: "ssh: opening a session on 127.0.0.1:" + noSession.Port,
		"ssh=box//ssh_config=" + matchFile(t, "Match exec 'sleep 60'\n"): "Match exec",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := startSpec(ctx, pool, parseSpec(t, spec))
		cancel()
		assert.ErrorIs(t, err, timeout.Err, spec)
		assert.ErrorContains(t, err, "execnet: "+step, spec)
		assert.ErrorContains(t, err, ": timeout", spec)
	}
}

func matchFile(t *testing.T, config string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, file, config)
	return file
}
