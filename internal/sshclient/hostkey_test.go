package sshclient

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

func hostKeyError(t *testing.T, err error) *HostKeyError {
	t.Helper()
	var hostKey *HostKeyError
	require.ErrorAs(t, err, &hostKey)
	return hostKey
}

func fingerprint(t *testing.T, keyFile string) string {
	t.Helper()
	return strings.Fields(sshdtest.Run(t, "ssh-keygen", "-l", "-f", keyFile))[1]
}

func TestUnknownHostKey(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	sshdtest.Write(t, server.KnownHostsFile, "elsewhere "+sshdtest.Read(t, server.HostKeyFile+".pub"))
	pool := testPool(t, Options{})
	err := hostKeyError(t, startFails(t, pool, server.Spec()))
	assert.Equal(t, HostKeyUnknown, err.Problem)
	assert.Equal(t, "[127.0.0.1]:"+server.Port, err.Host)
	assert.Equal(t, fingerprint(t, server.HostKeyFile), err.Fingerprint)
	assert.Equal(t, []string{server.KnownHostsFile, os.DevNull}, err.Files)
	assert.ErrorContains(t, err, err.Fingerprint)
	assert.ErrorContains(t, err, "ssh-keyscan -p "+server.Port+" 127.0.0.1 >> "+server.KnownHostsFile)
	assert.ErrorContains(t, err, "accept-new")

	asked := startFails(t, pool, "ssh=-o StrictHostKeyChecking=ask box//ssh_config="+server.ConfigFile)
	assert.ErrorContains(t, asked, "nobody to ask")
	// What the message advises helps.
	scanned := sshdtest.Run(t, "ssh-keyscan", "-p", server.Port, "127.0.0.1")
	sshdtest.Write(t, server.KnownHostsFile, scanned)
	requireAlive(t, start(t, pool, server.Spec()))
}

func TestAcceptNew(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	file := filepath.Join(t.TempDir(), "new", "known_hosts")
	spec := "ssh=-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=" + file + " box//ssh_config=" + server.ConfigFile
	requireAlive(t, start(t, testPool(t, Options{}), spec))
	key := strings.Join(strings.Fields(sshdtest.Read(t, server.HostKeyFile+".pub"))[:2], " ")
	assert.Equal(t, "[127.0.0.1]:"+server.Port+" "+key+"\n", sshdtest.Read(t, file))

	// A second time nothing is added; behind an unfinished line a new one begins; hashed names are
	// found again.
	requireAlive(t, start(t, testPool(t, Options{}), spec))
	assert.Equal(t, 1, strings.Count(sshdtest.Read(t, file), "\n"))
	sshdtest.Write(t, file, "# no newline")
	hashed := "ssh=-o HashKnownHosts=yes " + strings.TrimPrefix(spec, "ssh=")
	requireAlive(t, start(t, testPool(t, Options{}), hashed))
	assert.Regexp(t, `^# no newline\n\|1\|[^ ]+ ssh-ed25519 `, sshdtest.Read(t, file))
	requireAlive(t, start(t, testPool(t, Options{}), server.Spec()))
	strict := strings.Replace(spec, "accept-new", "yes", 1)
	requireAlive(t, start(t, testPool(t, Options{}), strict))
	// OpenSSH finds it, too
	sshdtest.Run(t, "ssh-keygen", "-F", "[127.0.0.1]:"+server.Port, "-f", file)
}

func TestChangedHostKey(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	other := filepath.Join(t.TempDir(), "other")
	sshdtest.Keygen(t, other)
	sshdtest.Write(t, server.KnownHostsFile, "# first line\n")
	server.AddKnownHost(t, other+".pub")
	var said lockedBuffer
	pool := testPool(t, Options{Stderr: &said})
	for _, strict := range []string{"yes", "accept-new", "ask"} {
		err := hostKeyError(t, startFails(t, pool, "ssh=-o StrictHostKeyChecking="+strict+" box//ssh_config="+server.ConfigFile))
		assert.Equal(t, HostKeyChanged, err.Problem)
		assert.Equal(t, []string{server.KnownHostsFile + ":2"}, err.Known)
		assert.ErrorContains(t, err, "ssh-keygen -R '[127.0.0.1]:"+server.Port+"' -f "+server.KnownHostsFile)
	}
	requireAlive(t, start(t, pool, "ssh=-o StrictHostKeyChecking=no box//ssh_config="+server.ConfigFile))
	assert.Contains(t, said.String(), "has changed")
}

func TestRevokedHostKey(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	known := sshdtest.Read(t, server.KnownHostsFile)
	sshdtest.Write(t, server.KnownHostsFile, known+"@revoked * "+sshdtest.Read(t, server.HostKeyFile+".pub"))
	for _, strict := range []string{"yes", "no"} {
		err := hostKeyError(t, startFails(t, testPool(t, Options{}), "ssh=-o StrictHostKeyChecking="+strict+" box//ssh_config="+server.ConfigFile))
		assert.Equal(t, HostKeyRevoked, err.Problem)
		assert.Equal(t, []string{server.KnownHostsFile + ":2"}, err.Known)
	}
	sshdtest.Write(t, server.KnownHostsFile, "host ssh-ed25519 !!!\n")
	err := hostKeyError(t, startFails(t, testPool(t, Options{}), server.Spec()))
	assert.Equal(t, HostKeyFile, err.Problem)
	assert.ErrorContains(t, err, server.KnownHostsFile+":1")
}

// A host with several keys shows the one that is known.
func TestHostKeyAlgorithmIsTheKnownOne(t *testing.T) {
	t.Parallel()
	rsa := filepath.Join(t.TempDir(), "rsa")
	sshdtest.Run(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa)
	ecdsa := filepath.Join(t.TempDir(), "ecdsa")
	sshdtest.Run(t, "ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", ecdsa)
	server := sshdtest.Start(t, "HostKey "+rsa, "HostKey "+ecdsa)
	for _, key := range []string{rsa, ecdsa, server.HostKeyFile} {
		sshdtest.Write(t, server.KnownHostsFile, "")
		server.AddKnownHost(t, key+".pub")
		requireAlive(t, start(t, testPool(t, Options{}), server.Spec()))
	}
	aliased := strings.ReplaceAll(sshdtest.Read(t, server.KnownHostsFile), "[127.0.0.1]:"+server.Port, "the-alias")
	sshdtest.Write(t, server.KnownHostsFile, aliased)
	requireAlive(t, start(t, testPool(t, Options{}), "ssh=-o HostKeyAlias=the-alias box//ssh_config="+server.ConfigFile))
}

func TestHostCertificate(t *testing.T) {
	t.Parallel()
	authority := filepath.Join(t.TempDir(), "ca")
	sshdtest.Keygen(t, authority)
	key := filepath.Join(t.TempDir(), "host_key")
	sshdtest.Keygen(t, key)
	issue := func(principal string) *sshdtest.Server {
		sshdtest.Run(t, "ssh-keygen", "-q", "-s", authority, "-I", "host", "-h", "-n", principal, key+".pub")
		server := sshdtest.Start(t, "HostKey "+key, "HostCertificate "+key+"-cert.pub")
		sshdtest.Write(t, server.KnownHostsFile, "@cert-authority *.0.0.1,other "+sshdtest.Read(t, authority+".pub"))
		return server
	}
	good := issue("127.0.0.1")
	requireAlive(t, start(t, testPool(t, Options{}), good.Spec()))

	sshdtest.Write(t, good.KnownHostsFile, "@cert-authority other "+sshdtest.Read(t, authority+".pub"))
	err := hostKeyError(t, startFails(t, testPool(t, Options{}), good.Spec()))
	assert.Equal(t, HostKeyUnknown, err.Problem, "the authority vouches for other hosts only")

	err = hostKeyError(t, startFails(t, testPool(t, Options{}), issue("elsewhere").Spec()))
	assert.Equal(t, HostKeyInvalid, err.Problem)
	assert.ErrorContains(t, err, "127.0.0.1")
}
