//go:build unix

package multi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/bootstrap"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestNoPythonOverSSH asks hosts for an interpreter that they do not have, with both ssh clients.
func TestNoPythonOverSSH(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	g := newGroup(t)
	for _, client := range []string{"", "//sshclient=openssh"} {
		_, err := g.MakeGateway(within.Soon(t), server.Spec()+"//python=/no/such/python"+client)
		var missing *gatewayio.PythonNotFoundError
		require.ErrorAs(t, err, &missing)
		assert.Equal(t, sshdtest.Alias, missing.Host)
		assert.Equal(t, []string{"/no/such/python"}, missing.Tried)
		assert.ErrorContains(t, err, "execnet: no Python found on box: there is no /no/such/python (its shell says: ")
		var failed *bootstrap.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, 127, failed.Exit.Code)
	}
}

// TestHostRefusesCommands starts a gateway on a host that lets nobody run a command, as some do
// that serve files only.
func TestHostRefusesCommands(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewSessionServer(t, &ssh.ServerConfig{NoClientAuth: true}, func(_ ssh.Channel, requests <-chan *ssh.Request) {
		ssh.DiscardRequests(requests)
	})
	g := newGroup(t)
	_, err := g.MakeGateway(within.Soon(t), "ssh=box//ssh_config="+server.ConfigFile)
	assert.ErrorContains(t, err, "ssh: 127.0.0.1:"+server.Port+" lets alice in but refuses to run a command")

	gw, err := g.StartGateway(within.Soon(t), "ssh=box//ssh_config="+server.ConfigFile)
	require.NoError(t, err)
	_, err = gw.RInfo(within.Soon(t))
	assert.ErrorContains(t, err, "refuses to run a command")
}
