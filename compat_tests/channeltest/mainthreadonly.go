package channeltest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

const deadlockText = "concurrent remote_exec would cause deadlock for main_thread_only execmodel"

// RunMainThreadOnly tests the execution model main_thread_only. open makes a gateway of that model.
func RunMainThreadOnly(t *testing.T, open func(t *testing.T) *execnet.Gateway, caps Caps) {
	r := &run{open(t), caps}
	inMain := `
import threading
channel.send(type(threading.current_thread()).__name__)
`
	for range 3 {
		ch := r.exec(t, inMain)
		assert.Equal(t, "_MainThread", receive(t, ch))
		ends(t, ch)
	}
	holding := r.exec(t, "channel.send('held'); channel.receive(); channel.send('freed')")
	assert.Equal(t, "held", receive(t, holding))
	refused := r.exec(t, "pass")
	assert.EqualError(t, refused.WaitClose(within.Soon(t)), deadlockText)
	// An execution that was refused counts for a moment after its channel was closed.
	var status execnet.RemoteStatus
	r.eventually(t, func(now execnet.RemoteStatus) bool {
		status = now
		return now.NumExecuting <= 1
	})
	assert.Equal(t, execnet.RemoteStatus{NumChannels: 1, NumExecuting: 1, ExecModel: "main_thread_only"}, status)
	send(t, holding, nil)
	assert.Equal(t, "freed", receive(t, holding))
	ends(t, holding)

	for _, end := range []string{"raise ValueError('x')", "raise SystemExit(1)", "raise EOFError"} {
		_ = r.exec(t, end).WaitClose(within.Soon(t)) // other tests check how it ends
		next := r.exec(t, inMain)
		if caps.RefusesAfterError {
			assert.EqualError(t, next.WaitClose(within.Soon(t)), deadlockText)
			return // later executions are refused too
		}
		assert.Equal(t, "_MainThread", receive(t, next), end)
		ends(t, next)
	}
}
