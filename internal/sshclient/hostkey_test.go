package sshclient

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
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

// The callback is asked only where the configuration lets it, and by one of several connections.
func TestUnknownHostCallback(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	known := filepath.Join(t.TempDir(), "known_hosts")
	spec := func(strict string) string {
		return "ssh=-o StrictHostKeyChecking=" + strict + " -o UserKnownHostsFile=" + known + " box//ssh_config=" + server.ConfigFile
	}
	var asked atomic.Int32
	options := Options{SessionsPerConnection: 1, UnknownHost: func(host, keyType, print string) (bool, error) {
		asked.Add(1)
		assert.Equal(t, "[127.0.0.1]:"+server.Port, host)
		assert.Equal(t, "ssh-ed25519", keyType)
		assert.Equal(t, fingerprint(t, server.HostKeyFile), print)
		return asked.Load() > 1, nil
	}}
	for _, strict := range []string{"yes", "ask -o BatchMode=yes"} {
		hostKeyError(t, startFails(t, testPool(t, options), spec(strict)))
	}
	assert.Zero(t, asked.Load())
	err := hostKeyError(t, startFails(t, testPool(t, options), spec("ask")))
	assert.Equal(t, HostKeyUnknown, err.Problem)
	assert.ErrorContains(t, err, "the answer was no")
	assert.NoFileExists(t, known)
	sideBySide(t, testPool(t, options), spec("ask"), 3)
	assert.EqualValues(t, 2, asked.Load())
	assert.Equal(t, 1, strings.Count(sshdtest.Read(t, known), "\n"))

	failed := errors.New("no tty")
	require.NoError(t, os.Remove(known))
	broken := testPool(t, Options{UnknownHost: func(string, string, string) (bool, error) { return false, failed }})
	assert.ErrorIs(t, startFails(t, broken, spec("ask")), failed)

	// A key that has changed is nobody's to confirm.
	other := filepath.Join(t.TempDir(), "other")
	sshdtest.Keygen(t, other)
	sshdtest.Write(t, known, "[127.0.0.1]:"+server.Port+" "+sshdtest.Read(t, other+".pub"))
	err = hostKeyError(t, startFails(t, testPool(t, options), spec("ask")))
	assert.Equal(t, HostKeyChanged, err.Problem)
	assert.EqualValues(t, 2, asked.Load())
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
	var said textbuffer.Buffer
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
}

// opensshAccepts runs the ssh command on a server, with the same configuration.
func opensshAccepts(t *testing.T, args ...string) bool {
	t.Helper()
	out, err := exec.CommandContext(soon(t), "ssh", append([]string{"-o", "BatchMode=yes"}, args...)...).CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("%v\n%s", err, out)
	}
	return err == nil
}

// What stands in known_hosts files beside the good line: the ssh command is the oracle.
func TestKnownHostsLines(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	other := filepath.Join(t.TempDir(), "other")
	sshdtest.Keygen(t, other)
	host := "[127.0.0.1]:" + server.Port
	words := strings.Fields(sshdtest.Read(t, server.HostKeyFile+".pub"))
	key, otherKey := words[0]+" "+words[1], strings.TrimSpace(sshdtest.Read(t, other+".pub"))
	good := host + " " + key + "\n"
	for name, test := range map[string]struct {
		text string
		want bool
	}{
		"ssh1":                  {host + " 1024 35 12345678901234567890\n" + good, true},
		"merge markers":         {"<<<<<<< HEAD\n=======\n" + good + ">>>>>>> theirs\n", true},
		"unknown type":          {host + " ssh-future AAAAC3Nz\n" + good, true},
		"half":                  {host + "\n" + host + " ssh-ed25519\n" + good, true},
		"bad base64":            {host + " ssh-ed25519 !!!\n" + good, true},
		"another type":          {host + " ssh-rsa " + words[1] + "\n" + good, true},
		"long":                  {"# " + strings.Repeat("x", 100_000) + "\n" + strings.Repeat("y,", 100_000) + host + " " + key + "\n", true},
		"binary":                {"\x00\xff\xfe z\n" + good, true},
		"bad hash":              {"|1|xx|yy " + key + "\n|2|xx|yy " + key + "\n|1 " + key + "\n" + good, true},
		"unknown marker":        {"@trusted * " + key + "\n" + good, true},
		"two markers":           {"@revoked @cert-authority * " + key + "\n" + good, true},
		"CRLF":                  {"# a\r\n" + strings.TrimSpace(good) + "\r\n", true},
		"blanks":                {" \t " + strings.ReplaceAll(good, " ", "\t  "), true},
		"comment":               {host + " " + key + " a comment # too\n", true},
		"no newline":            {strings.TrimSpace(good), true},
		"second of two":         {host + " " + otherKey + "\n" + good, true},
		"pattern":               {"!nobody,[127.*]:* " + key + "\n", true},
		"negated":               {"*,!" + host + ",!127.0.0.1 " + key + "\n", false},
		"without port":          {"127.0.0.1 " + key + "\n", true},
		"other without port":    {"127.0.0.1 " + otherKey + "\n", false},
		"nothing":               {"", false},
		"only a half line":      {host + " ssh-ed25519\n", false},
		"no type":               {host + " " + words[1] + "\n", false},
		"unreadable revocation": {"@revoked * ssh-ed25519 !!!\n@revoked *\n" + good, true},
		"revoked":               {good + "@revoked * " + key + "\n", false},
		"revoked CRLF":          {good + "@revoked *  " + key + "\r\n", false},
		"revoked before":        {"@revoked * " + key + " comment\n" + good, false},
		"an authority's":        {"@cert-authority " + host + " " + key + "\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "known")
			sshdtest.Write(t, file, test.text)
			options := []string{"-F", server.ConfigFile, "-o", "UserKnownHostsFile=" + file}
			require.Equal(t, test.want, opensshAccepts(t, append(options, "box", "true")...), "the ssh command")
			spec := "ssh=-o UserKnownHostsFile=" + file + " box//ssh_config=" + server.ConfigFile
			pool := testPool(t, Options{})
			if test.want {
				requireAlive(t, start(t, pool, spec))
			} else {
				hostKeyError(t, startFails(t, pool, spec))
			}
		})
	}
}

// An unreadable file is as good as none, and a revocation without effect is told.
func TestKnownHostsFiles(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	folder := t.TempDir()
	var said textbuffer.Buffer
	pool := testPool(t, Options{Stderr: &said})
	requireAlive(t, start(t, pool, "ssh=-o 'UserKnownHostsFile="+folder+" "+server.KnownHostsFile+"' box//ssh_config="+server.ConfigFile))
	assert.Empty(t, said.String())

	known := sshdtest.Read(t, server.KnownHostsFile)
	sshdtest.Write(t, server.KnownHostsFile, known+"@revoked * ssh-ed25519 AAAA\n")
	requireAlive(t, start(t, pool, "ssh=-o User="+server.User+" -o ServerAliveInterval=9 box//ssh_config="+server.ConfigFile))
	assert.Contains(t, said.String(), server.KnownHostsFile+":2: this @revoked line has no effect")
}

func TestRevokedHostKeysFiles(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	sshdtest.Keygen(t, other)
	list := filepath.Join(dir, "revoked")
	spec := "ssh=-o RevokedHostKeys=" + list + " box//ssh_config=" + server.ConfigFile
	pool := testPool(t, Options{})
	accepts := func() bool {
		return opensshAccepts(t, "-F", server.ConfigFile, "-o", "RevokedHostKeys="+list, "box", "true")
	}

	assert.False(t, accepts())
	missing := hostKeyError(t, startFails(t, pool, spec))
	assert.Equal(t, HostKeyFile, missing.Problem)
	assert.ErrorContains(t, missing, list)

	sshdtest.Write(t, list, "# comment\n\n"+sshdtest.Read(t, other+".pub"))
	assert.True(t, accepts())
	requireAlive(t, start(t, pool, spec))

	sshdtest.Write(t, list, sshdtest.Read(t, other+".pub")+sshdtest.Read(t, server.HostKeyFile+".pub"))
	assert.False(t, accepts())
	revoked := hostKeyError(t, startFails(t, testPool(t, Options{}), spec))
	assert.Equal(t, HostKeyRevoked, revoked.Problem)
	assert.Equal(t, []string{list + ":2"}, revoked.Known)

	sshdtest.Write(t, list, "ssh-ed25519 !!!\n")
	assert.False(t, accepts())
	assert.ErrorContains(t, hostKeyError(t, startFails(t, testPool(t, Options{}), spec)), list+":1")

	sshdtest.Run(t, "ssh-keygen", "-k", "-f", list, other+".pub")
	var unsupported *sshconfig.UnsupportedError
	require.ErrorAs(t, startFails(t, testPool(t, Options{}), spec), &unsupported)
	assert.Contains(t, unsupported.What, list+", which is a KRL")
}

// A program says which keys hosts have, as on machines of a FreeIPA domain. The ssh command is the
// oracle.
func TestKnownHostsCommand(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	dir := t.TempDir()
	asked, script := filepath.Join(dir, "asked"), filepath.Join(dir, "keys")
	words := strings.Fields(sshdtest.Read(t, server.HostKeyFile+".pub"))
	line := "[127.0.0.1]:" + server.Port + " " + words[0] + " " + words[1]
	config := filepath.Join(dir, "config")
	sshdtest.Write(t, config, "KnownHostsCommand "+script+" %I %H %t %K %f %n %h %p %r %%\nUserKnownHostsFile /dev/null\n"+server.ClientConfig())
	for body, want := range map[string]bool{
		"echo '" + line + "'":                                 true,
		"test $1 = ORDER || echo '" + line + "'":              true,
		"test $1 = HOSTNAME || echo '" + line + "'":           false,
		"echo '@revoked * " + words[0] + " " + words[1] + "'": false,
		"echo '" + line + "'; exit 1":                         false,
		"true":                                                false,
	} {
		require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho \"$@\" >> "+asked+"\n"+body+"\n"), 0o700))
		assert.Equal(t, want, opensshAccepts(t, "-F", config, "box", "true"), "the ssh command: %s", body)
		theirs := sshdtest.Read(t, asked)
		require.NoError(t, os.Remove(asked))
		pool := testPool(t, Options{})
		if want {
			requireAlive(t, start(t, pool, "ssh=box//ssh_config="+config))
			assert.Equal(t, theirs, sshdtest.Read(t, asked))
		} else {
			hostKeyError(t, startFails(t, pool, "ssh=box//ssh_config="+config))
		}
		require.NoError(t, os.Remove(asked))
	}
}

func TestShortHostKey(t *testing.T) {
	t.Parallel()
	rsa := filepath.Join(t.TempDir(), "rsa")
	sshdtest.Run(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa)
	server := sshdtest.Start(t, "HostKey "+rsa)
	server.AddKnownHost(t, rsa+".pub")
	spec := func(bits string) string {
		return "ssh=-o RequiredRSASize=" + bits + " -o HostKeyAlgorithms=rsa-sha2-512 box//ssh_config=" + server.ConfigFile
	}
	requireAlive(t, start(t, testPool(t, Options{}), spec("2048")))
	err := hostKeyError(t, startFails(t, testPool(t, Options{}), spec("3072")))
	assert.Equal(t, HostKeyInvalid, err.Problem)
	assert.ErrorContains(t, err, "2048 bits")
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
	requireAlive(t, start(t, testPool(t, Options{}), "ssh=-o CASignatureAlgorithms=ssh-ed25519 box//ssh_config="+good.ConfigFile))
	weak := hostKeyError(t, startFails(t, testPool(t, Options{}), "ssh=-o CASignatureAlgorithms=rsa-sha2-512 box//ssh_config="+good.ConfigFile))
	assert.Equal(t, HostKeyInvalid, weak.Problem)
	assert.ErrorContains(t, weak, "its signature is ssh-ed25519, which is not among CASignatureAlgorithms")
	for _, revoked := range []string{authority, key} {
		list := filepath.Join(t.TempDir(), "revoked")
		sshdtest.Copy(t, revoked+".pub", list)
		err := hostKeyError(t, startFails(t, testPool(t, Options{}), "ssh=-o RevokedHostKeys="+list+" box//ssh_config="+good.ConfigFile))
		assert.Equal(t, HostKeyRevoked, err.Problem)
	}

	sshdtest.Write(t, good.KnownHostsFile, "@cert-authority other "+sshdtest.Read(t, authority+".pub"))
	err := hostKeyError(t, startFails(t, testPool(t, Options{}), good.Spec()))
	assert.Equal(t, HostKeyUnknown, err.Problem, "the authority vouches for other hosts only")

	err = hostKeyError(t, startFails(t, testPool(t, Options{}), issue("elsewhere").Spec()))
	assert.Equal(t, HostKeyInvalid, err.Problem)
	assert.ErrorContains(t, err, "127.0.0.1")

	// The plain key in a certificate that is not valid may be known.
	both := issue("elsewhere")
	both.AddKnownHost(t, key+".pub")
	require.True(t, opensshAccepts(t, "-F", both.ConfigFile, "box", "true"))
	requireAlive(t, start(t, testPool(t, Options{}), both.Spec()))

	// An authority's key may be of another type than the host's.
	rsa := filepath.Join(t.TempDir(), "rsa")
	sshdtest.Run(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa)
	authority = rsa
	requireAlive(t, start(t, testPool(t, Options{}), issue("127.0.0.1").Spec()))
}
