//go:build unix

package gatewayio

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/forkserver"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestServersThatHaveEndedAreForgotten retires one fork server after the other, as reloading does.
func TestServersThatHaveEndedAreForgotten(t *testing.T) {
	var servers forkServers
	defer servers.close()
	for range 3 {
		server, err := servers.get("key", func() (*forkserver.Server, error) {
			return forkserver.Start([]string{pythons.Default(t).Path}, nil, forkserver.Config{Program: "pass"}, os.Stderr)
		})
		require.NoError(t, err)
		_, err = server.Ready(within.Soon(t))
		require.NoError(t, err)
		assert.False(t, server.Ended())
		servers.retire()
		assert.Len(t, servers.retired, 1, "only the last one")
		require.Eventually(t, server.Ended, 20*time.Second, time.Millisecond)
	}
}
