package testrun

import (
	"fmt"
	"slices"
)

// collected takes the news that a worker has collected.
func (s *suite) collected(w *worker, m collected) {
	w.state = max(w.state, waiting)
	w.digest = m.digest
	w.facts = m
	s.problems = max(s.problems, m.problems)
	if s.Dist != Each && !s.ending {
		s.compare(w) // before the run ends, so that what was collected is told in any case
	}
	if m.problems > 0 && !m.goOn && !s.ending {
		s.fail(Interrupted, nil)
	}
}

// compare finds out whether a worker has the tests of the others. The first one tells them.
func (s *suite) compare(w *worker) {
	switch {
	case s.from == nil:
		s.from = w
		if !w.whole {
			w.tell("tell")
		}
	case s.tests == nil:
		// It is compared when the first one has told its tests.
	case s.from.digest == w.digest:
		w.tests = s.tests
	default:
		w.tell("tell")
	}
}

// found takes the tests of a worker.
func (s *suite) found(w *worker, tests []Test) {
	w.tests = tests
	if s.Dist == Each {
		s.tellCollected(w)
		return
	}
	if w != s.from {
		if s.tests == nil || w.digest == s.from.digest {
			w.whole = false // from now on it has to be asked for what it has told too early
			return
		}
		s.fail(Internal, &DifferentError{A: s.from.id, B: w.id, Problem: difference(s.tests, tests)})
		return
	}
	if s.Select.Test != nil {
		for i := range tests {
			tests[i].leftOut = !s.Select.Test(&tests[i])
		}
	}
	s.tests = tests
	s.tellCollected(w)
	s.startWorth()
	s.compareWaiting()
}

// compareWaiting compares the workers that have collected before the tests were known.
func (s *suite) compareWaiting() {
	for _, w := range s.workers {
		if w != s.from && w.state == waiting && w.tests == nil {
			s.compare(w)
		}
	}
}

func (s *suite) tellCollected(w *worker) {
	selected := slices.DeleteFunc(slices.Clone(w.tests), func(t Test) bool { return t.leftOut })
	s.handle(&Collected{Worker: w.id, Tests: selected, Deselected: w.facts.deselected, Took: w.facts.took})
	if w.facts.only {
		s.onlyCollected = true
		s.stop()
	}
}

// difference is the first difference of two collections, in words.
func difference(a, b []Test) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return fmt.Sprintf("the second one has %s, too", b[i].ID)
		case i >= len(b):
			return fmt.Sprintf("the first one has %s, too", a[i].ID)
		case a[i].ID != b[i].ID:
			return fmt.Sprintf("test %d is %s in the first and %s in the second one", i+1, a[i].ID, b[i].ID)
		}
	}
	return "they have the same tests"
}

// DifferentError says that two workers have collected different tests, so that none of them can run
// a part of the suite for the other. It can happen if parameters come from a set, or from the time.
type DifferentError struct{ A, B, Problem string }

func (e *DifferentError) Error() string {
	return fmt.Sprintf("execnet: the workers %s and %s have collected different tests: %s", e.A, e.B, e.Problem)
}
