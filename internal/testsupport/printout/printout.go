// Package printout collects the lines that a group's workers print.
package printout

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/multi"
)

// Printout has the lines so far. Its zero value has none.
type Printout struct {
	mu    sync.Mutex // guards lines
	lines []multi.Line
}

// Add adds a line. It is for Group.Output.
func (p *Printout) Add(line multi.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
}

// Of returns the texts of a stream of a gateway so far.
func (p *Printout) Of(id string, stream multi.Stream) (texts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		if line.Gateway == id && line.Stream == stream {
			texts = append(texts, line.Text)
		}
	}
	return texts
}

// Await waits until a stream of a gateway has come to these lines.
func (p *Printout) Await(t *testing.T, id string, stream multi.Stream, want ...string) {
	t.Helper()
	if !assert.Eventually(t, func() bool { return slices.Equal(want, p.Of(id, stream)) }, 20*time.Second, time.Millisecond) {
		assert.Equal(t, want, p.Of(id, stream))
		t.FailNow()
	}
}
