//go:build unix

package multi_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// closesItsPipe is remote code that closes everything but the standard streams, and goes on.
const closesItsPipe = `
import os, time
for fd in range(3, 64):
    try:
        os.close(fd)
    except OSError:
        pass
time.sleep(60)
`

// TestDeathsNameTheirCause has workers die on every road, and the things between them and us.
func TestDeathsNameTheirCause(t *testing.T) {
	t.Parallel()
	sshd, err := opensshd.Start(within.Soon(t), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(sshd.Stop)
	python := "//python=" + pythons.Default(t).Path
	host := "popen//id=host" + python
	ssh := "ssh=box//id=dead//ssh_config=" + sshd.ConfigFile + python
	for name, test := range map[string]struct {
		first, spec, source string
		want                string // a regular expression
	}{
		"exit":               {"", "popen//id=dead" + python, "import os; os._exit(7)", `^execnet: gateway dead died \(exit status 7\)$`},
		"exit, ssh":          {"", ssh, "import os; os._exit(7)", `^execnet: gateway dead died \(exit status 7\)$`},
		"exit, via":          {host, "popen//id=dead//via=host" + python, "import os; os._exit(7)", `^execnet: gateway dead died \(exit status 7\)$`},
		"exit, socket":       {host, "socket//id=dead//installvia=host", "import os; os._exit(7)", `^execnet: gateway dead died: 127\.0\.0\.1:\d+ closed the connection$`},
		"signal":             {"", "popen//id=dead" + python, "import os; os.kill(os.getpid(), 9)", `^execnet: gateway dead died \(signal: killed\)$`},
		"signal, ssh":        {"", ssh, "import os; os.kill(os.getpid(), 9)", `^execnet: gateway dead died \(signal: killed\)$`},
		"signal, via":        {host, "popen//id=dead//via=host" + python, "import os; os.kill(os.getpid(), 9)", `^execnet: gateway dead died \(signal: killed\)$`},
		"closed output":      {"", "popen//id=dead" + python, closesItsPipe, `^execnet: gateway dead died: its far end has closed its output, and still runs`},
		"closed output, via": {host, "popen//id=dead//via=host" + python, closesItsPipe, `^execnet: gateway dead died: its far end has closed its output, and still runs`},
		"reset":              {host, "socket//id=dead//installvia=host", "import os, socket, struct\ns = socket.socket(fileno=os.dup(channel.gateway._rfd))\ns.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\nos._exit(0)", `^execnet: gateway dead died: .*connection reset by peer`},
		"sshd":               {"", ssh, "import os; os.kill(os.getppid(), 9)", `^execnet: gateway dead died: ssh: the connection to \S+ was lost: the host closed it$`},
		"master":             {host, "popen//id=dead//via=host" + python, "import os; os.kill(os.getppid(), 9)", `^execnet: gateway dead died: gateway host died \(signal: killed\)$`},
		"no message":         {"", "popen//id=dead" + python, "import os, time\nfor fd in range(3, 9):\n    try: os.write(fd, b'hello, this is no message')\n    except OSError: pass\ntime.sleep(60)", `^execnet: gateway dead died: unknown message code 104 in header`},
		"exit, ssh via":      {host, "ssh=box//id=dead//via=host//ssh_config=" + sshd.ConfigFile + python, "import os; os._exit(7)", `^execnet: gateway dead died \(exit status 7\)$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := multi.NewGroup()
			g.Stderr = io.Discard
			defer func() { _ = g.Terminate(within.Soon(t)) }() // what has died may be hard to end
			if test.first != "" {
				makeGateway(t, g, test.first)
			}
			gw := makeGateway(t, g, test.spec)
			ch, err := gw.RemoteExec(t.Context(), test.source)
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			var died *gatewaybase.GatewayDiedError
			require.ErrorAs(t, err, &died)
			died.Exit.Stderr = "" // what the interpreter says of its closed files
			assert.Regexp(t, test.want, err.Error())
			assert.NotErrorIs(t, err, io.EOF)
		})
	}
}
