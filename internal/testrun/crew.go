package testrun

import (
	"runtime"
	"slices"
	"time"

	"github.com/go-execnet/execnet/xspec"
)

// How many workers there are depends on what they have to do. A worker that is forked costs little,
// but more than some quick tests; one that is not collects the suite once more.

const (
	// worthWorker is the time that the tests of a worker take at the least, where that is known, so
	// that it is worth its start.
	worthWorker = 100 * time.Millisecond
	// soon is after what time of running tests all workers are started, if there is still something
	// for them to do, whatever was expected.
	soon = 500 * time.Millisecond
)

// startFirst starts the workers that are needed before it is known what there is to do. The others
// are held back.
func (s *suite) startFirst() {
	local := 0
	for i, spec := range s.Specs {
		wait := false
		if s.Dist != Each {
			switch {
			case s.forkable(spec):
				// The others are forked from the same process, which collects at first.
				wait = s.firstOfItsKind(i) != i
			case spec.Local():
				wait = local >= runtime.NumCPU()
				local++
			}
		}
		if wait {
			s.held = append(s.held, spec)
		} else {
			s.start(spec, nil)
		}
	}
}

// forkable reports whether the worker of a spec is to be forked.
func (s *suite) forkable(spec *xspec.Spec) bool {
	return !s.NoFork && !s.forks.off && s.Dist != Each && canFork(spec, s.Specs)
}

// firstOfItsKind is the index of the first spec that is forked from the same process.
func (s *suite) firstOfItsKind(i int) int {
	for j, other := range s.Specs[:i] {
		if sameProcess(other, s.Specs[i]) {
			return j
		}
	}
	return i
}

// startWorth starts as many of the others as are worth it for the tests that were collected.
func (s *suite) startWorth() {
	selected := slices.DeleteFunc(slices.Clone(s.tests), func(t Test) bool { return t.leftOut })
	want := min(len(s.Specs), (len(selected)+1)/2)
	if took, known := s.memory.expected(selected); known {
		want = min(want, 1+int(took/worthWorker))
	}
	s.startHeld(want - (len(s.Specs) - len(s.held)))
	s.allAt = time.Now().Add(soon)
}

// startHeld starts so many of the workers that are held back.
func (s *suite) startHeld(count int) {
	for count > 0 && len(s.held) > 0 && !s.ending {
		spec := s.held[0]
		s.held = s.held[1:]
		s.start(spec, nil)
		count--
	}
}
