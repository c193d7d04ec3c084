//go:build !linux

package pipe

import (
	"os"
	"time"
)

// MostMoved is how many bytes a Passage takes at the most.
const MostMoved = 0

// Passage is for systems that move bytes from one pipe to another without copying them.
type Passage struct{}

// NewPassage returns nil: this system does not.
func NewPassage() *Passage { return nil }

// Close does nothing.
func (*Passage) Close() {}

// Held returns 0.
func (*Passage) Held() int { return 0 }

// Fill reports false.
func (*Passage) Fill(*os.File, int) bool { return false }

// Drain returns 0.
func (*Passage) Drain(*os.File, time.Duration) int { return 0 }

// Take does nothing.
func (*Passage) Take([]byte) {}
