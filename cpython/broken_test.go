package cpython_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// damage is a program that has three calls under way when a line of it damages what calls need, and
// makes another one behind that. It sends what they raise.
const damage = `
import os, threading, time
from texts import words
functions = words.__loader__
finder = functions.finder
raised = []
def call(function, *args):
    try:
        function(*args)
    except EnvironmentError as e:
        raised.append(str(e))
threads = [threading.Thread(target=call, args=(words.wait,)) for _ in range(3)]
for thread in threads:
    thread.start()
while len(functions._calls) < 3: # their numbers are 0 to 2
    time.sleep(0.001)
while words.waits() < 3: # Go has them, too
    time.sleep(0.001)
DAMAGE
for thread in threads:
    thread.join()
call(words.same, 1)
call(words.echo, channel)
for text in raised:
    channel.send(text if type(text) is not bytes else text.decode("utf-8"))
channel.send(len(raised))
`

// TestWhatIsNoFrame: what a program writes to the pipes of calls, and is no frame, ends the calls
// with a reason, and nothing else.
func TestWhatIsNoFrame(t *testing.T) {
	const fromPython = "no Go function can be called any more, because of what has come from this Python: it is no frame of a call: "
	for name, test := range map[string]struct{ damage, want string }{
		"length":         {`os.write(finder.pipes[1], b"\xff" * 9)`, fromPython + "its length is -1"},
		"code":           {`os.write(finder.pipes[1], b"\6\0\0\0\0\0\0\0\0")`, fromPython + "its code is 6"},
		"twice":          {`os.write(finder.pipes[1], b"\0\0\0\0\0\0\0\0\0")`, fromPython + "it begins call 0, which has begun already"},
		"by the gateway": {`channel.gateway._send(4, finder.channel_id, b"xyz")`, fromPython + "it has 3 bytes"},
		"from Go": {`os.write(os.open("/proc/self/fd/%d" % finder.pipes[0], os.O_WRONLY), b"\xff" * 9)`,
			`no Go function can be called any more, because of what has come from the Go worker: b'\xff\xff\xff\xff\xff\xff\xff\xff\xff' is no head of a frame`},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "from Go" && runtime.GOOS != "linux" {
				t.Skip("no pipe can be opened by a name here")
			}
			for _, python := range pythons.All(t) {
				t.Run(python.Version(), func(t *testing.T) {
					t.Parallel()
					group, trace := execnet.NewGroup(), new(textbuffer.Buffer)
					group.Stderr = trace
					t.Cleanup(func() { require.NoError(t, group.Terminate(within.Soon(t))) })
					gw, err := group.MakeGateway(within.Soon(t), "popen//self//engine=cpython//env:EXECNET_DEBUG=2//env:EXECNET_PYTHON="+python.Path)
					require.NoError(t, err)
					ch, err := gw.RemoteExec(within.Soon(t), strings.ReplaceAll(damage, "DAMAGE", test.damage))
					require.NoError(t, err)
					for range 5 {
						text, err := execnet.Receive[string](within.Soon(t), ch)
						require.NoError(t, err)
						assert.Equal(t, test.want, strings.ReplaceAll(text, ": '", ": b'"))
					}
					count, err := ch.Receive(within.Soon(t))
					require.NoError(t, err)
					assert.EqualValues(t, 5, count)
					require.NoError(t, ch.WaitClose(within.Soon(t)))

					// Programs run on, and nothing keeps the worker from ending.
					ch, err = gw.RemoteExec(within.Soon(t), "channel.send(1)")
					require.NoError(t, err)
					one, err := ch.Receive(within.Soon(t))
					require.NoError(t, err)
					assert.EqualValues(t, 1, one)
					require.NoError(t, group.Terminate(within.Soon(t)))
					if name != "from Go" {
						assert.Contains(t, trace.String(), "[calls] finished: execnet: it is no frame of a call: "+strings.TrimPrefix(test.want, fromPython))
					}
				})
			}
		})
	}
}
