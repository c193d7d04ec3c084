package gpython

import "time"

// forever is the limit of a wait that has none.
const forever time.Duration = -1

// wait waits until done is closed, if it is not nil, or for a time at most, and reports whether
// done was closed. Others run Python meanwhile. The error is a KeyboardInterrupt, when the
// execution's context ends; after the program's end, some time after the gateway's.
func (in *interp) wait(done <-chan struct{}, limit time.Duration) (came bool, err error) {
	ctx := in.ctx
	var gone <-chan struct{}
	if in.late {
		gone = in.channel.Gateway().Done()
	}
	interrupted := false
	in.blocking(func() {
		var over, tooLate <-chan time.Time
		if limit >= 0 {
			timer := time.NewTimer(limit)
			defer timer.Stop()
			over = timer.C
		}
		for {
			select {
			case <-done:
				came = true
				return
			case <-over:
				return
			case <-ctx.Done():
				interrupted = true
				return
			case <-gone:
				gone = nil
				grace := time.NewTimer(lateGrace)
				defer grace.Stop()
				tooLate = grace.C
			case <-tooLate:
				interrupted = true
				return
			}
		}
	})
	if interrupted {
		return false, in.interruption()
	}
	return came, nil
}
