//go:build unix

package deploy

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestInterruptedUpload ends uploads at their beginning, in the middle and near the end. Nothing is
// left, and the program is not there.
func TestInterruptedUpload(t *testing.T) {
	random, err := exec.Command("head", "-c", "3000000", "/dev/urandom").Output()
	require.NoError(t, err)
	s, _ := newProgramSet(t, echo+"exit\n#"+string(random))
	for _, packed := range []bool{true, false} {
		for _, after := range []int64{1, 1 << 20, 2 << 20} {
			a := newAccount(t, tools...)
			if !packed {
				require.NoError(t, os.Remove(filepath.Join(a.bin, "gzip")))
			}
			ctx, cancel := context.WithCancelCause(within.Soon(t))
			a.Progress = func(sent, _ int64) {
				if sent >= after {
					cancel(fmt.Errorf("pulled the plug"))
				}
			}
			_, err := a.Start(ctx, s, nil)
			require.ErrorContains(t, err, "execnet: putting the program on box: pulled the plug")
			require.Eventually(t, func() bool {
				left := files(t, a.cache())
				return len(left) == 0 || len(left) == 1 && strings.HasPrefix(left[0], ".upload-")
			}, 20*time.Second, 10*time.Millisecond)
			a.Progress = nil
			a.requireStarts(t, s)
		}
	}
}

// TestHungUpHost has a host that sees its stdin end in the middle, as when the driver was killed.
func TestHungUpHost(t *testing.T) {
	s, path := newProgramSet(t, echo+strings.Repeat("#\n", 100000))
	for _, packed := range []bool{true, false} {
		a := newAccount(t, tools...)
		pipe, err := a.Run(within.Soon(t), Script{Text: s.putScript("mark", s.programs[0], 0, packed)})
		require.NoError(t, err)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		if packed {
			content = gzipped(newWriter(gzip.BestSpeed), content)
		}
		_, err = pipe.Write(content[:len(content)/2])
		require.NoError(t, err)
		require.NoError(t, pipe.CloseWrite())
		said, err := io.ReadAll(pipe)
		require.NoError(t, err)
		assert.Contains(t, string(said), "mark failed "+a.cache()+": ")
		end(pipe)
		assert.Empty(t, files(t, a.cache()))
	}
}

// TestPacker has pieces of both kinds in one upload: those that were compressed before their turn,
// and those that were not.
func TestPacker(t *testing.T) {
	content := echo + "exit\n" + strings.Repeat("#\n", 2*pieceSize)
	s, _ := newProgramSet(t, content)
	p := s.programs[0]
	k := p.startPacker()
	k.mu.Lock()
	k.first, k.sent = time.Now().Add(-time.Hour), 1 // a slow network
	k.mu.Unlock()
	k.running.Wait()
	assert.Same(t, k.packing, p.packing(), "another upload at the same time uses what is compressed")
	k.mu.Lock()
	assert.Len(t, k.pieces, 5)
	delete(k.pieces, 1)
	delete(k.pieces, 4)
	k.mu.Unlock()
	a := newAccount(t, tools...)
	pipe, answer, _, err := a.ask(within.Soon(t), Script{Text: s.putScript("mark", p, 0, true), Mark: "mark"}, func(pipe gatewaybase.IO) error {
		return a.send(t.Context(), pipe, p, k)
	})
	require.NoError(t, err)
	end(pipe)
	assert.Contains(t, answer, "done ")
	a.requireStarts(t, s)
	assert.Less(t, len(k.take(0, []byte(content)[:pieceSize])), pieceSize/10)
	assert.Greater(t, len(k.take(1, []byte(content)[pieceSize:][:pieceSize])), pieceSize)

	// What was sent is not compressed any more.
	late := newPacker(&packing{pieces: map[int][]byte{}, begun: map[int]bool{}})
	late.take(0, []byte(content))
	late.first, late.sent = time.Now().Add(-time.Hour), 1
	require.NoError(t, late.pack(0, nil))
	assert.Empty(t, late.pieces)
	late.stop()
	assert.ErrorIs(t, late.pack(1, nil), errStopped)
}

// TestCompressingPays has networks of several speeds.
func TestCompressingPays(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		sent  int64
		after time.Duration
		pays  bool
	}{
		{0, time.Hour, false},                    // nothing is known
		{2 << 20, time.Millisecond, false},       // buffers were filled
		{2 << 20, 290 * time.Millisecond, false}, // perhaps the far end is still starting
		{6 << 20, 300 * time.Millisecond, true},  // as over 50 ms each way
		{1 << 20, time.Second, true},
		{20 << 20, 300 * time.Millisecond, false}, // as on one machine
	} {
		k := packing{first: begin, sent: c.sent}
		assert.Equal(t, c.pays, k.pays(begin.Add(c.after)), "%d bytes in %v", c.sent, c.after)
	}
}

func TestManyDrivers(t *testing.T) {
	s, _ := newProgramSet(t, echo+strings.Repeat("#\n", 100000))
	a := newAccount(t, tools...)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			path, err := a.Put(within.Soon(t), s)
			assert.NoError(t, err)
			assert.Equal(t, filepath.Join(a.cache(), s.programs[0].fileName(s.name)), path)
		})
	}
	all.Wait()
	assert.Len(t, files(t, a.cache()), 1)
	a.requireStarts(t, s)
}
