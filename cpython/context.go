package cpython

import (
	"context"
	"sync"
	"time"
)

// lazyContext is the context of a call, which ends with its parent or when cancel is called. It is
// a real one from the moment when something is asked of it: few functions do that, and to make and
// end one takes a tenth of a call's time here.
type lazyContext struct {
	parent context.Context

	mu    sync.Mutex // guards what follows
	made  context.Context
	end   context.CancelFunc // nil as long as made is
	ended bool
}

func (l *lazyContext) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		l.made, l.end = context.WithCancel(l.parent)
		if l.ended {
			l.end()
		}
	}
	return l.made
}

func (l *lazyContext) cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.end != nil {
		l.end()
	}
}

// Deadline implements context.Context.
func (l *lazyContext) Deadline() (time.Time, bool) { return l.parent.Deadline() }

// Done implements context.Context.
func (l *lazyContext) Done() <-chan struct{} { return l.context().Done() }

// Err implements context.Context.
func (l *lazyContext) Err() error { return l.context().Err() }

// Value implements context.Context. Package context asks it for the real one, too.
func (l *lazyContext) Value(key any) any { return l.context().Value(key) }
