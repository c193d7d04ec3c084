package testrun

import "sync"

// mailbox passes on what workers tell to the goroutine that runs the suite. Putting never waits,
// except for what is printed: of that no more than mostPrinted lines wait.
type mailbox struct {
	mu      sync.Mutex // guards what follows
	letters []letter
	printed int           // how many letters are lines that workers have printed
	closed  bool          // nothing is taken any more
	room    sync.Cond     // signalled when lines were taken, or the mailbox was closed
	filled  chan struct{} // has room for one; something is in it if letters wait
}

// letter is what a worker has told, or has met.
type letter struct {
	from *worker
	what any // one of the types in message.go
}

const mostPrinted = 4096

func newMailbox() *mailbox {
	m := &mailbox{filled: make(chan struct{}, 1)}
	m.room.L = &m.mu
	return m
}

func (m *mailbox) put(from *worker, all ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, what := range all {
		_, isLine := what.(*Printed)
		for isLine && m.printed >= mostPrinted && !m.closed {
			m.room.Wait()
		}
		if m.closed {
			return
		}
		if isLine {
			m.printed++
		}
		m.letters = append(m.letters, letter{from, what})
	}
	select {
	case m.filled <- struct{}{}:
	default:
	}
}

// take returns all that waits.
func (m *mailbox) take() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.letters
	m.letters, m.printed = nil, 0
	m.room.Broadcast()
	return all
}

// close lets nobody wait any more.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.room.Broadcast()
}
