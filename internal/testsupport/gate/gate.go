// Package gate is a writer that blocks, for tests of what must not wait for one.
package gate

import (
	"strings"
	"sync"
)

// Writer keeps what is written to it. Its Write blocks until Open is called.
type Writer struct {
	open chan struct{}

	mu   sync.Mutex // guards text
	text strings.Builder
}

// New returns a writer that is not open.
func New() *Writer { return &Writer{open: make(chan struct{})} }

// Open ends the blocking. It is called once.
func (w *Writer) Open() { close(w.open) }

// Write implements io.Writer.
func (w *Writer) Write(b []byte) (int, error) {
	<-w.open
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

// String is what was written so far.
func (w *Writer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
