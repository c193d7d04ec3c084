package farend

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/gate"
)

func TestOutletPassesOn(t *testing.T) {
	to := gate.New()
	to.Open()
	o := NewOutlet(to)
	var want strings.Builder
	for i := range 50000 {
		line := fmt.Sprintf("line %d of what goes through\n", i) // more than may wait
		n, err := o.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), n)
		want.WriteString(line)
	}
	require.NoError(t, o.Flush())
	assert.Equal(t, want.String(), to.String())
}

// What never waits leaves out what does not fit, once, and says how much, on a line of its own.
func TestOutletOffer(t *testing.T) {
	to := gate.New()
	o := NewOutlet(to)
	o.Offer(bytes.Repeat([]byte("x"), outletSize-10))
	o.Offer(bytes.Repeat([]byte("y"), 30))
	o.Offer([]byte("lost\n"))
	o.FlushSoon() // it returns although nothing was taken
	to.Open()
	o.mu.Lock()
	for o.running {
		o.changed.Wait()
	}
	o.mu.Unlock()
	o.Offer([]byte("more\n"))
	require.Eventually(t, func() bool { return strings.HasSuffix(to.String(), "more\n") }, 10*time.Second, time.Millisecond)
	text := to.String()
	assert.Equal(t, strings.Repeat("x", outletSize-10)+strings.Repeat("y", 10)+"\n", text[:outletSize+1])
	assert.Equal(t, "execnet: 25 bytes were left out here, as they were not taken in time\nmore\n", text[outletSize+1:])
}

// A patient Write waits for room until Hurry.
func TestOutletHurry(t *testing.T) {
	to := gate.New()
	o := NewOutlet(to)
	written := make(chan struct{})
	go func() {
		defer close(written)
		n, err := o.Write(make([]byte, outletSize+5))
		assert.NoError(t, err)
		assert.Equal(t, outletSize+5, n)
		assert.NoError(t, o.Flush())
	}()
	select {
	case <-written:
		t.Error("it did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	o.Hurry()
	<-written
	to.Open()
	require.Eventually(t, func() bool { return strings.Contains(to.String(), "execnet: 5 bytes were left out here") }, 10*time.Second, time.Millisecond)
}

func TestOutletFailure(t *testing.T) {
	r, w := io.Pipe()
	o := NewOutlet(w)
	broken := errors.New("broken")
	require.NoError(t, r.CloseWithError(broken))
	_, err := o.Write([]byte("a"))
	require.NoError(t, err)
	assert.ErrorIs(t, o.Flush(), broken)
	_, err = o.Write([]byte("b"))
	assert.ErrorIs(t, err, broken)
	o.Offer([]byte("c"))
	assert.ErrorIs(t, o.Flush(), broken)
}

// steady is a writer that takes everything, in its own time.
type steady struct{ text bytes.Buffer }

func (s *steady) Write(b []byte) (int, error) {
	time.Sleep(outletGrace / 5)
	return s.text.Write(b)
}

// At the end a writer that goes on taking something gets everything, however long that takes.
func TestOutletEndIsPatient(t *testing.T) {
	to := &steady{}
	o := NewOutlet(to)
	o.End()
	for range 10 {
		_, err := o.Write([]byte("line\n"))
		require.NoError(t, err)
		time.Sleep(outletGrace / 6) // so that each is a Write of its own
	}
	require.NoError(t, o.Flush())
	assert.Equal(t, strings.Repeat("line\n", 10), to.text.String())
}
