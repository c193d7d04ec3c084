package gatewaybase

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestStats(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	before, farBefore := driver.Stats(), worker.Stats()
	ctx := within.Soon(t)
	for range 3 {
		require.NoError(t, here.Send(ctx, "text"))
	}
	require.NoError(t, here.CloseSend())
	assert.Eventually(t, func() bool { return there.Len() == 3 && worker.Stats().Unread == 3 }, time.Minute, time.Millisecond)
	time.Sleep(10 * time.Millisecond)
	sent, received := driver.Stats(), worker.Stats()
	assert.EqualValues(t, 4, sent.MessagesSent-before.MessagesSent)
	assert.EqualValues(t, 3*(9+10)+9, sent.BytesSent-before.BytesSent)
	assert.Zero(t, sent.Unsent+sent.UnsentBytes+sent.Unread)
	assert.EqualValues(t, 4, received.MessagesReceived-farBefore.MessagesReceived)
	assert.EqualValues(t, 3*(9+10)+9, received.BytesReceived-farBefore.BytesReceived)
	assert.Equal(t, 3*10, received.UnreadBytes)
	assert.GreaterOrEqual(t, received.UnreadFor, 10*time.Millisecond)
	for range 3 {
		_, err := there.Receive(ctx)
		require.NoError(t, err)
	}
	assert.Zero(t, there.Len())
	assert.Zero(t, worker.Stats().UnreadFor+time.Duration(worker.Stats().UnreadBytes))
}
