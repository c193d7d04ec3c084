package channeltest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var gateways = []test{
	{"RemoteStatus", remoteStatus},
	{"RInfo", rinfo},
	{"channel.gateway", channelGateway},
	{"the execution model's tools", execModelTools},
}

func remoteStatus(t *testing.T, r *run) {
	r.idle(t)
	before, err := r.gw.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, r.caps.execModel(), before.ExecModel)
	assert.Zero(t, before.NumExecuting)
	ch := r.exec(t, "sub = channel.gateway.newchannel(); channel.send(1); channel.receive()")
	assert.Equal(t, int64(1), receive(t, ch))
	during, err := r.gw.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, 1, during.NumExecuting)
	assert.GreaterOrEqual(t, during.NumChannels, 2)
	require.NoError(t, ch.Close())
	r.idle(t)
}

func rinfo(t *testing.T, r *run) {
	info, err := r.gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	ch := r.exec(t, "import sys, os; channel.send((sys.executable, sys.platform, os.getcwd(), os.getpid(), sys.version.split()[0].rstrip('+')))")
	want := execnet.Tuple{info.Executable, info.Platform, info.CWD, int64(info.PID), info.VersionInfo.String()}
	assert.Equal(t, want, receive(t, ch))
	ends(t, ch)
	assert.Equal(t, r.caps.Python2, info.VersionInfo.Major == 2)
	again, err := r.gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, info, again)
}

func channelGateway(t *testing.T, r *run) {
	ch := r.exec(t, `
gateway = channel.gateway
sub = gateway.newchannel()
channel.send((gateway.id, sub.id % 2, sub.gateway is gateway))
del sub
try:
    gateway._channelfactory.new
    channel.send(True)
except AttributeError:
    channel.send(False)
`)
	assert.Equal(t, execnet.Tuple{r.gw.ID() + "-worker", int64(0), true}, receive(t, ch))
	assert.Equal(t, true, receive(t, ch))
	ends(t, ch)
}

func execModelTools(t *testing.T, r *run) {
	ch := r.exec(t, `
model = channel.gateway.execmodel
queue = model.queue.Queue()
event, lock, rlock = model.Event(), model.Lock(), model.RLock()
def work(a, b):
    with lock:
        with rlock:
            with rlock:
                queue.put((a, b, model.get_ident() is not None))
    model.sleep(0.001)
    event.set()
model.start(work, (1, 2))
event.wait(60)
channel.send((model.backend, queue.get(timeout=60), event.is_set()))
try:
    queue.get(block=False)
except model.queue.Empty:
    channel.send("empty")
`)
	assert.Equal(t, execnet.Tuple{r.caps.execModel(), execnet.Tuple{int64(1), int64(2), true}, true}, receive(t, ch))
	assert.Equal(t, "empty", receive(t, ch))
	ends(t, ch)
}
