package sshclient

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

// The same as TestSSHNetworkSwallowsEverything over a real link between two network namespaces that
// goes down.
func TestLinkGoesDown(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("execnet%d", os.Getpid())
	near, far := fmt.Sprintf("xn%d", os.Getpid()), fmt.Sprintf("xf%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here (%v: %s); TestSSHNetworkSwallowsEverything does it without", err, out)
	}
	t.Cleanup(func() { sshdtest.Run(t, "ip", "netns", "delete", name) })
	if out, err := exec.Command("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", name).CombinedOutput(); err != nil {
		t.Skipf("no virtual links here (%v: %s); TestSSHNetworkSwallowsEverything does it without", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "delete", near).Run() })
	// Two runs side by side differ
	subnet := fmt.Sprintf("10.%d.%d.", 200+os.Getpid()/250%50, os.Getpid()%250)
	host, guest := subnet+"1", subnet+"2"
	const port = "22022"
	sshdtest.Run(t, "ip", "addr", "add", host+"/24", "dev", near)
	sshdtest.Run(t, "ip", "link", "set", near, "up")
	sshdtest.Run(t, "ip", "-n", name, "addr", "add", guest+"/24", "dev", far)
	sshdtest.Run(t, "ip", "-n", name, "link", "set", far, "up")

	server := sshdtest.Start(t, "ListenAddress "+host+":"+port, "ClientAliveInterval 1", "ClientAliveCountMax 1")
	driver, output, pid := startDriver(t, "ssh=-o ServerAliveInterval=1 -o ServerAliveCountMax=1 -o HostName="+host+" -p "+port+
		" -o HostKeyAlias=[127.0.0.1]:"+server.Port+" box//ssh_config="+server.ConfigFile, "ip", "netns", "exec", name)
	sshdtest.Run(t, "ip", "link", "set", near, "down")
	last, err := io.ReadAll(output)
	require.NoError(t, err)
	assert.Contains(t, string(last), "the connection to "+host+":"+port+" was lost")
	assert.Error(t, driver.Wait())
	requireGone(t, pid)
}
