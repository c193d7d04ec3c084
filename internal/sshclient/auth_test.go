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
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

func authError(t *testing.T, err error) *AuthError {
	t.Helper()
	var auth *AuthError
	require.ErrorAs(t, err, &auth)
	return auth
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	wrong := filepath.Join(t.TempDir(), "id")
	sshdtest.Keygen(t, wrong)
	pool := testPool(t, Options{})
	sshdtest.Write(t, server.AuthorizedKeysFile, sshdtest.Read(t, wrong+".pub"))
	err := authError(t, startFails(t, pool, "ssh=-i /no/such/key box//ssh_config="+server.ConfigFile))
	assert.Equal(t, server.User, err.User)
	assert.Equal(t, []string{"publickey " + server.IdentityFile + " (ssh-ed25519 " + fingerprint(t, server.IdentityFile) + ")"}, err.Tried)
	assert.Equal(t, []string{"/no/such/key (no such file)"}, err.Skipped)
	assert.Equal(t, []string{"publickey"}, err.Accepts)
	assert.ErrorContains(t, err, "/no/such/key")

	// One connection's failure is not the pool's: the second key fits.
	requireAlive(t, start(t, pool, "ssh=-i "+wrong+" box//ssh_config="+server.ConfigFile))
}

func TestDefaultKeys(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	sshdtest.Copy(t, server.IdentityFile, filepath.Join(home, ".ssh", "id_ed25519"))
	sshdtest.Write(t, filepath.Join(home, ".ssh", "id_rsa"), "not a key\n")
	var kept []string
	for _, line := range strings.Split(server.ClientConfig(), "\n") {
		if !strings.Contains(line, "IdentityFile") && !strings.Contains(line, "KnownHostsFile") {
			kept = append(kept, line)
		}
	}
	// With ~/.ssh/config and ~/.ssh/known_hosts "ssh=box" is all it takes.
	sshdtest.Write(t, filepath.Join(home, ".ssh", "config"), strings.Join(kept, "\n"))
	sshdtest.Copy(t, server.KnownHostsFile, filepath.Join(home, ".ssh", "known_hosts"))
	requireAlive(t, start(t, testPool(t, Options{home: home}), "ssh=box"))
}

func TestEncryptedKey(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	for _, format := range [][]string{{"-a", "1"}, {"-t", "rsa", "-b", "2048", "-m", "PEM"}} {
		key := filepath.Join(t.TempDir(), "id")
		sshdtest.Keygen(t, key, append(format, "-N", "open sesame")...)
		sshdtest.Write(t, server.AuthorizedKeysFile, sshdtest.Read(t, key+".pub"))
		if format[0] == "-t" {
			require.NoError(t, os.Remove(key+".pub"), "the old format alone does not tell which key it is")
		}
		config := strings.Replace(server.ClientConfig(), server.IdentityFile, key, 1)
		file := filepath.Join(t.TempDir(), "config")
		sshdtest.Write(t, file, config)
		spec := "ssh=box//ssh_config=" + file

		err := authError(t, startFails(t, testPool(t, Options{}), spec))
		assert.Empty(t, err.Tried)
		assert.ErrorContains(t, err, key+" (it is encrypted, and there is no Passphrase callback")

		var asked atomic.Int32
		pool := testPool(t, Options{Passphrase: func(file string) ([]byte, error) {
			assert.Equal(t, key, file)
			if asked.Add(1) == 1 {
				return []byte("wrong"), nil
			}
			return []byte("open sesame"), nil
		}, SessionsPerConnection: 1})
		requireAlive(t, start(t, pool, spec))
		requireAlive(t, start(t, pool, spec))
		assert.EqualValues(t, 2, asked.Load(), "the opened key serves the second connection")

		wrong := testPool(t, Options{Passphrase: func(string) ([]byte, error) { return []byte("wrong"), nil }})
		assert.ErrorContains(t, startFails(t, wrong, "ssh=-o NumberOfPasswordPrompts=1 box//ssh_config="+file), "was wrong (tries: 1)")
		refused := errors.New("no tty")
		silent := testPool(t, Options{Passphrase: func(string) ([]byte, error) { return nil, refused }})
		failure := startFails(t, silent, spec)
		assert.ErrorContains(t, failure, "no tty")
		batch := authError(t, startFails(t, pool, "ssh=-o BatchMode=yes -o ServerAliveInterval=9 box//ssh_config="+file))
		assert.Empty(t, batch.Tried)
		assert.ErrorContains(t, batch, "BatchMode is yes")
	}
}

// testAgent serves an agent with the key of a file on a socket, and counts its connections.
func testAgent(t *testing.T, keyFile string) (socket string, used *atomic.Int32) {
	t.Helper()
	raw, err := ssh.ParseRawPrivateKey([]byte(sshdtest.Read(t, keyFile)))
	require.NoError(t, err)
	keyring := agent.NewKeyring()
	require.NoError(t, keyring.Add(agent.AddedKey{PrivateKey: raw}))
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	require.NoError(t, err)
	socket = filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	used = new(atomic.Int32)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			used.Add(1)
			running.Go(func() {
				_ = agent.ServeAgent(keyring, conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
		os.RemoveAll(dir)
	})
	return socket, used
}

func TestAgent(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	socket, used := testAgent(t, server.IdentityFile)
	other := filepath.Join(t.TempDir(), "id")
	sshdtest.Keygen(t, other)
	base := strings.Replace(server.ClientConfig(), "IdentityAgent none", "IdentityAgent "+socket, 1)
	base = strings.Replace(base, "IdentityFile "+server.IdentityFile, "IdentityFile "+other, 1)
	file := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, file, base)
	pool := testPool(t, Options{})

	err := authError(t, startFails(t, pool, "ssh=box//ssh_config="+file))
	assert.NotContains(t, strings.Join(err.Tried, " "), "agent", "IdentitiesOnly keeps the agent's other keys back")
	requireAlive(t, start(t, pool, "ssh=-o IdentitiesOnly=no box//ssh_config="+file))
	// The public half is enough to pick a key of the agent.
	requireAlive(t, start(t, pool, "ssh=-i "+server.IdentityFile+".pub box//ssh_config="+file))
	assert.EqualValues(t, 3, used.Load())

	err = authError(t, startFails(t, pool, "ssh=-o IdentityAgent=/no/such/socket box//ssh_config="+file))
	assert.ErrorContains(t, err, "/no/such/socket")
}

func TestForwardAgent(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	socket, _ := testAgent(t, server.IdentityFile)
	pool := testPool(t, Options{})
	const list = "import os,subprocess;os.write(1,subprocess.run(['ssh-add','-l'],stdout=-1,stderr=-2).stdout)"
	for options, want := range map[string]string{
		"-A -o IdentityAgent=" + socket: fingerprint(t, server.IdentityFile),
		"-o ForwardAgent=" + socket:     fingerprint(t, server.IdentityFile),
		"-a -o ForwardAgent=" + socket:  "Could not open a connection",
	} {
		pipe := start(t, pool, "ssh="+options+" box//ssh_config="+server.ConfigFile)
		execLine(t, pipe, list)
		out, err := io.ReadAll(pipe)
		require.NoError(t, err)
		assert.Contains(t, string(out), want, options)
	}
}

func TestUserCertificate(t *testing.T) {
	t.Parallel()
	authority := filepath.Join(t.TempDir(), "ca")
	sshdtest.Keygen(t, authority)
	server := sshdtest.Start(t, "TrustedUserCAKeys "+authority+".pub")
	sshdtest.Write(t, server.AuthorizedKeysFile, "")
	pool := testPool(t, Options{})
	authError(t, startFails(t, pool, server.Spec()))
	sshdtest.Run(t, "ssh-keygen", "-q", "-s", authority, "-I", "me", "-n", server.User, server.IdentityFile+".pub")
	requireAlive(t, start(t, pool, server.Spec())) // from IDENTITY-cert.pub

	elsewhere := filepath.Join(t.TempDir(), "certificate")
	require.NoError(t, os.Rename(server.IdentityFile+"-cert.pub", elsewhere))
	authError(t, startFails(t, testPool(t, Options{}), server.Spec()))
	requireAlive(t, start(t, pool, "ssh=-o CertificateFile="+elsewhere+" box//ssh_config="+server.ConfigFile))

	socket, _ := testAgent(t, server.IdentityFile)
	requireAlive(t, start(t, pool, "ssh=-o IdentityAgent="+socket+" -o CertificateFile="+elsewhere+" box//ssh_config="+server.ConfigFile))
}

func TestKeyLimits(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	rsa := filepath.Join(t.TempDir(), "id")
	sshdtest.Run(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa)
	sshdtest.Write(t, server.AuthorizedKeysFile, sshdtest.Read(t, rsa+".pub"))
	pool := testPool(t, Options{})
	spec := func(options string) string {
		return "ssh=-i " + rsa + options + " box//ssh_config=" + server.ConfigFile
	}
	requireAlive(t, start(t, pool, spec("")))
	requireAlive(t, start(t, pool, spec(" -o PubkeyAcceptedAlgorithms=rsa-sha2-512")))
	assert.ErrorContains(t, startFails(t, pool, spec(" -o PubkeyAcceptedAlgorithms=-rsa*")), "PubkeyAcceptedAlgorithms")
	assert.ErrorContains(t, startFails(t, pool, spec(" -o RequiredRSASize=3072")), "RequiredRSASize is 3072")
}

func TestPassword(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PasswordCallback: func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if conn.User() != "alice" || string(password) != "pw" {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	})
	spec := "ssh=box//ssh_config=" + server.ConfigFile
	err := authError(t, startFails(t, testPool(t, Options{}), spec))
	assert.Equal(t, []string{"password (there is no Password callback to ask)"}, err.Skipped)

	asked := 0
	pool := testPool(t, Options{Password: func(user, host string) (string, error) {
		assert.Equal(t, "alice", user)
		assert.Equal(t, "127.0.0.1:"+server.Port, host)
		if asked++; asked == 1 {
			return "typo", nil
		}
		return "pw", nil
	}})
	requireAlive(t, start(t, pool, spec))
	assert.Equal(t, 2, asked)

	wrong := testPool(t, Options{Password: func(string, string) (string, error) { return "typo", nil }})
	err = authError(t, startFails(t, wrong, spec))
	assert.Equal(t, []string{"password", "password", "password"}, err.Tried)
	err = authError(t, startFails(t, wrong, "ssh=-o BatchMode=yes box//ssh_config="+server.ConfigFile))
	assert.Empty(t, err.Tried)
	aborted := errors.New("pressed Ctrl-C")
	abort := testPool(t, Options{Password: func(string, string) (string, error) { return "", aborted }})
	assert.ErrorIs(t, startFails(t, abort, spec), aborted)

	// A host whose key has changed gets no password, whatever StrictHostKeyChecking says.
	other := filepath.Join(t.TempDir(), "other")
	sshdtest.Keygen(t, other)
	known := filepath.Join(t.TempDir(), "known_hosts")
	sshdtest.Write(t, known, "[127.0.0.1]:"+server.Port+" "+sshdtest.Read(t, other+".pub"))
	err = authError(t, startFails(t, pool, "ssh=-o StrictHostKeyChecking=no -o UserKnownHostsFile="+known+" box//ssh_config="+server.ConfigFile))
	assert.Equal(t, []string{"password (the host key has changed)"}, err.Skipped)
}

func TestKeyboardInteractive(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, challenge ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := challenge("", "Two questions", []string{"Token: ", "Pet: "}, []bool{false, true})
			if err != nil || len(answers) != 2 || answers[0] != "123" || answers[1] != "cat" {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	})
	spec := "ssh=box//ssh_config=" + server.ConfigFile
	pool := testPool(t, Options{KeyboardInteractive: func(user, _, instruction string, questions []string, echos []bool) ([]string, error) {
		assert.Equal(t, "alice", user)
		assert.Equal(t, "Two questions", instruction)
		assert.Equal(t, []string{"Token: ", "Pet: "}, questions)
		assert.Equal(t, []bool{false, true}, echos)
		return []string{"123", "cat"}, nil
	}})
	requireAlive(t, start(t, pool, spec))
	short := testPool(t, Options{KeyboardInteractive: func(string, string, string, []string, []bool) ([]string, error) { return nil, nil }})
	assert.ErrorContains(t, startFails(t, short, spec), "0 answers to 2 questions")
	assert.ErrorContains(t, startFails(t, testPool(t, Options{}), spec), "no KeyboardInteractive callback")
}

// A key and then a password, as hosts with two factors want it.
func TestTwoFactors(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "id")
	sshdtest.Keygen(t, key)
	server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{
				PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
					if string(password) != "pw" {
						return nil, errors.New("no")
					}
					return nil, nil
				},
			}}
		},
	})
	pool := testPool(t, Options{Password: func(string, string) (string, error) { return "pw", nil }})
	requireAlive(t, start(t, pool, "ssh=-i "+key+" box//ssh_config="+server.ConfigFile))
}

// As with the ssh command, a private key that others can read is not used; the next one is.
func TestUnprotectedKey(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	open := filepath.Join(t.TempDir(), "id")
	sshdtest.Copy(t, server.IdentityFile, open)
	config := strings.Replace(server.ClientConfig(), server.IdentityFile, open, 1)
	file := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, file, config)
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false} {
		require.NoError(t, os.Chmod(open, mode))
		require.Equal(t, want, opensshAccepts(t, "-F", file, "box", "true"), "the ssh command")
		if want {
			requireAlive(t, start(t, testPool(t, Options{}), "ssh=box//ssh_config="+file))
			continue
		}
		err := authError(t, startFails(t, testPool(t, Options{}), "ssh=box//ssh_config="+file))
		assert.Empty(t, err.Tried)
		assert.ErrorContains(t, err, open+" (UNPROTECTED PRIVATE KEY FILE")
		assert.ErrorContains(t, err, "chmod 600 "+open)
		requireAlive(t, start(t, testPool(t, Options{}), "ssh=-i "+open+" -i "+server.IdentityFile+" box//ssh_config="+file))
	}
}

// What only the ssh command can use is told when nothing else lets the user in.
func TestPKCS11Provider(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	spec := "ssh=-o PKCS11Provider=/lib/token.so box//ssh_config=" + server.ConfigFile
	requireAlive(t, start(t, testPool(t, Options{}), spec))
	sshdtest.Write(t, server.AuthorizedKeysFile, "")
	err := authError(t, startFails(t, testPool(t, Options{}), spec))
	assert.ErrorContains(t, err, "PKCS11Provider /lib/token.so (only the ssh command can use it")
}

// A callback that does not answer holds up neither the caller whose context ends nor the pool.
func TestCallbackThatHangs(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") },
	})
	hang := make(chan struct{})
	defer close(hang)
	spec := " box//ssh_config=" + server.ConfigFile
	for options, callback := range map[string]func(ask func()) Options{
		"": func(ask func()) Options {
			return Options{Password: func(string, string) (string, error) { ask(); return "", nil }}
		},
		"-o StrictHostKeyChecking=ask -o UserKnownHostsFile=/dev/null": func(ask func()) Options {
			return Options{UnknownHost: func(string, string, string) (bool, error) { ask(); return false, nil }}
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("changed my mind")
		pool := testPool(t, callback(func() {
			cancel(reason)
			<-hang
		}))
		_, err := startSpec(ctx, pool, parseSpec(t, "ssh="+options+spec))
		assert.ErrorIs(t, err, reason, options)
		pool.Close()
	}
}
