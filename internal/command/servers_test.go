package command

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
)

func TestListenAddress(t *testing.T) {
	for given, want := range map[string]string{
		"8888": "127.0.0.1:8888", ":8888": "127.0.0.1:8888", "0": "127.0.0.1:0", "0.0.0.0:1": "0.0.0.0:1", "[::]:1": "[::]:1",
		"localhost:65535": "localhost:65535",
	} {
		address, err := listenAddress([]string{given}, "1")
		require.NoError(t, err, given)
		assert.Equal(t, want, address)
	}
	address, err := listenAddress(nil, "2222")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:2222", address)
	for _, given := range []string{"", "host", "host:", "host:ssh", "65536", "::1", "host:-1", "a:b:1"} {
		_, err := listenAddress([]string{given}, "1")
		assert.ErrorContains(t, err, "write HOST:PORT", given)
	}
}

func TestServerUsage(t *testing.T) {
	ca := tlstest.NewAuthority(t)
	certificate, _ := ca.IssueFiles(t, "localhost")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"socketserver", "host"}, 2, "no address"},
		{[]string{"socketserver", "1", "2"}, 2, "accepts at most 1 arg"},
		{[]string{"socketserver", "--tls-cert", "f"}, 2, "--tls-cert and --tls-key go together"},
		{[]string{"socketserver", "--client-ca", "f"}, 2, "--client-ca needs --tls-cert"},
		{[]string{"socketserver", "--tls-cert", certificate, "--tls-key", "none"}, 1, "cannot use the certificate"},
		{[]string{"sshserver", "host"}, 2, "no address"},
		{[]string{"sshserver", "--host-key", filepath.Join(certificate, "x")}, 1, "host key"},
	} {
		r := inProcess("", c.args...)
		assert.Equal(t, c.code, r.code, c.args)
		assert.Contains(t, r.stderr, c.want, c.args)
		assert.Empty(t, r.stdout)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	r := inProcess("", "socketserver", l.Addr().String())
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, l.Addr().String())
}

func TestSSHServerWarnings(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))   // whatever the umask
	l, err := net.Listen("tcp", "127.0.0.1:0") // so that the server ends
	require.NoError(t, err)
	defer l.Close()
	keys, hostKey := filepath.Join(dir, "keys"), filepath.Join(dir, "host_key")
	r := inProcess("", "sshserver", l.Addr().String(), "--host-key", hostKey, "--authorized-keys", keys)
	assert.Contains(t, r.stderr, "warning: nobody can log in yet: open "+keys)
	assert.Empty(t, r.stdout, "which is for the address")
	key := regexp.MustCompile(`(?m)^host key SHA256:\S+ .+$`)
	require.Regexp(t, key, r.stderr)
	require.NoError(t, os.WriteFile(keys, []byte("nonsense\n"), 0o600))
	again := inProcess("", "sshserver", l.Addr().String(), "--host-key", hostKey, "--authorized-keys", keys)
	assert.Contains(t, again.stderr, "warning: "+keys+":1: this is not a public key")
	assert.Contains(t, again.stderr, "warning: nobody can log in yet: there is no key for it in "+keys)
	assert.Equal(t, key.FindString(r.stderr), key.FindString(again.stderr))
}
