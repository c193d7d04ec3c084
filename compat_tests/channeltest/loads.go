package channeltest

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var loads = []test{
	{"500 channels", manyChannels},
	{"full pipes in both directions", fullPipes},
	{"many senders on one channel", manySenders},
	{"many receivers on one channel", manyReceivers},
}

func manyChannels(t *testing.T, r *run) {
	ch := r.exec(t, `
subs = [channel.receive() for i in range(500)]
for i, sub in enumerate(subs):
    sub.send((i, sub.receive()))
for sub in reversed(subs):
    sub.close()
`)
	subs := make([]*execnet.Channel, 500)
	for i := range subs {
		subs[i] = r.newThere(t, ch)
	}
	for i := range subs {
		send(t, subs[len(subs)-1-i], "item")
	}
	for i, sub := range subs {
		assert.Equal(t, execnet.Tuple{int64(i), "item"}, receive(t, sub))
		ends(t, sub)
	}
	ends(t, ch)
}

// fullPipes lets both ends write far more than a pipe holds before one of them reads.
func fullPipes(t *testing.T, r *run) {
	const count, size = 64, 128 << 10
	ch := r.exec(t, `
blob = u"y" * (128 << 10)
for i in range(64):
    channel.send(blob)
for i in range(64):
    assert len(channel.receive()) == 128 << 10
channel.send("all there")
`)
	blob := bytes.Repeat([]byte("x"), size)
	for range count {
		send(t, ch, blob)
	}
	for range count {
		text, _ := receive(t, ch).(string)
		require.Len(t, text, size)
	}
	assert.Equal(t, "all there", receive(t, ch))
	ends(t, ch)
}

func manySenders(t *testing.T, r *run) {
	const senders, each = 32, 50
	ch := r.exec(t, `
last = {}
for i in range(32 * 50):
    sender, number, padding = channel.receive()
    assert last.get(sender, -1) == number - 1, (sender, number, last)
    last[sender] = number
channel.send(len(last))
`)
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for number := range each {
				padding := make([]byte, number*100)
				assert.NoError(t, ch.Send(t.Context(), execnet.Tuple{sender, number, padding}))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(senders), receive(t, ch))
	ends(t, ch)
}

func manyReceivers(t *testing.T, r *run) {
	const receivers, items = 16, 1000
	ch := r.exec(t, "for i in range(1000): channel.send(i)")
	var mu sync.Mutex
	seen := map[any]int{}
	var wg sync.WaitGroup
	for range receivers {
		wg.Go(func() {
			for item, err := range ch.Items(within.Soon(t)) {
				assert.NoError(t, err)
				mu.Lock()
				seen[item]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.Len(t, seen, items)
	for item, times := range seen {
		require.Equal(t, 1, times, "%v", item)
	}
}
