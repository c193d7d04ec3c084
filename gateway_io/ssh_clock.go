package gatewayio

import (
	"sync"
	"time"
)

// sshClock limits how long a host may take for each step of letting a user in. It stands still
// while somebody is asked.
type sshClock struct {
	limit time.Duration // 0 for none

	mu      sync.Mutex
	timer   *time.Timer
	paused  int
	stopped bool
}

// newSSHClock starts a clock that calls expired, once, when a step takes longer than limit.
func newSSHClock(limit time.Duration, expired func()) *sshClock {
	c := &sshClock{limit: limit}
	if limit > 0 {
		c.timer = time.AfterFunc(limit, expired)
	}
	return c
}

// restart gives the next step its whole time.
func (c *sshClock) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil && c.paused == 0 && !c.stopped && c.timer.Stop() {
		c.timer.Reset(c.limit)
	}
}

func (c *sshClock) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused++
	if c.timer != nil {
		c.timer.Stop()
	}
}

func (c *sshClock) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused--
	if c.timer != nil && c.paused == 0 && !c.stopped {
		c.timer.Reset(c.limit)
	}
}

// stop ends the clock for good.
func (c *sshClock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer != nil {
		c.timer.Stop()
	}
}
