package farend

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHostNotFoundTexts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().(*net.TCPAddr)
	require.NoError(t, listener.Close())
	_, refused := net.Dial("tcp", address.String())
	require.Error(t, refused)
	assert.EqualError(t, &HostNotFoundError{Host: "box", Err: refused}, fmt.Sprintf("execnet: connection refused by box:%d", address.Port))
	assert.EqualError(t, &HostNotFoundError{Host: "::1", Err: refused}, fmt.Sprintf("execnet: connection refused by [::1]:%d", address.Port))
	assert.EqualError(t, &HostNotFoundError{Host: "box:2200", Err: syscall.ECONNREFUSED}, "execnet: connection refused by box:2200")
	assert.EqualError(t, &HostNotFoundError{Host: "box", Err: syscall.ECONNREFUSED}, "execnet: connection refused by box")

	_, unknown := net.LookupHost("no-such-host.invalid")
	require.Error(t, unknown)
	var dns *net.DNSError
	require.ErrorAs(t, unknown, &dns)
	assert.EqualError(t, &HostNotFoundError{Host: "no-such-host.invalid", Err: fmt.Errorf("dial: %w", unknown)},
		"execnet: host not found: no-such-host.invalid: "+dns.Err)
	assert.EqualError(t, &HostNotFoundError{Host: "box", Err: errors.New("no route to host")}, "execnet: cannot connect to box: no route to host")
}

func TestHostNotFound(t *testing.T) {
	var failed *HostNotFoundError
	require.ErrorAs(t, HostNotFound(Exit{Known: true, Code: 255, Stderr: "ssh: no route\n"}, "box"), &failed)
	assert.EqualError(t, failed, "execnet: cannot connect to box: ssh: no route")
	assert.EqualError(t, HostNotFound(Exit{Known: true, Code: 255}, "box"), "execnet: cannot connect to box: the ssh command failed (exit status 255)")
	assert.NoError(t, HostNotFound(Exit{Known: true, Code: 255}, ""), "no ssh host")
	assert.NoError(t, HostNotFound(Exit{Known: true, Code: 1}, "box"))
	assert.NoError(t, HostNotFound(Exit{}, "box"), "it lives")
}
