package worker

import "context"

// run implements native.Natives.Beside: it executes a program for this worker's own purposes in the
// process beside it, if that runs now.
func (b *beside) run(ctx context.Context, source string, item any) error {
	b.mu.Lock()
	relay := b.relay
	b.mu.Unlock()
	if relay == nil {
		return nil
	}
	return relay.Run(ctx, source, item)
}
