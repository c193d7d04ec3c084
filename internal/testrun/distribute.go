package testrun

import (
	"cmp"
	"slices"
	"strings"
)

// distribution decides which worker runs which tests. Tests are numbers in the collection.
type distribution interface {
	// feed gives workers more tests if they need them. all are the workers that run tests.
	feed(all []*worker)
	// taken says that w has returned tests that it was asked for.
	taken(w *worker, indexes []int)
	// lost gives back what a worker has not run that has died.
	lost(w *worker, indexes []int)
	// empty reports whether there are no tests left that no worker has.
	empty() bool
}

// newDistribution makes the distribution of d for tests, which n workers will run.
func newDistribution(d Dist, tests []Test, n int, m *memory) distribution {
	q := queue{n: n, weights: m.weights(tests)}
	alone := func(int, Test) string { return "" }
	switch d {
	case Each:
		return &each{given: map[*worker]bool{}}
	case WorkSteal:
		q.units = units(tests, alone)
		q.sort(tests, m)
		return &workSteal{q, map[*worker]bool{}}
	case LoadScope:
		q.units = units(tests, func(_ int, t Test) string { return scopeOf(t.ID) })
	case LoadFile:
		q.units = units(tests, func(_ int, t Test) string { file, _, _ := strings.Cut(t.ID, "::"); return file })
	case LoadGroup:
		q.units = units(tests, func(_ int, t Test) string { return t.Group })
	default:
		q.units = units(tests, alone)
		q.sort(tests, m)
		return &load{q, map[*worker]int{}}
	}
	q.sort(tests, m)
	return &scopes{q}
}

// scopeOf is the part of a node id before its last "::" outside of brackets: a module or a class.
func scopeOf(id string) string {
	base, _, _ := strings.Cut(id, "[")
	if at := strings.LastIndex(base, "::"); at >= 0 {
		return base[:at]
	}
	return base
}

// units puts the tests of one name together, at the place of the first of them. Those with the name
// "" stay alone.
func units(tests []Test, name func(int, Test) string) [][]int {
	var all [][]int
	at := map[string]int{}
	for i, t := range tests {
		if t.leftOut {
			continue
		}
		n := name(i, t)
		if place, known := at[n]; known && n != "" {
			all[place] = append(all[place], i)
			continue
		}
		at[n] = len(all)
		all = append(all, []int{i})
	}
	return all
}

// queue holds units of tests that no worker has, in the order in which they are given out.
type queue struct {
	units   [][]int
	n       int       // how many workers there will be
	weights []float64 // of tests: how long they take, in some unit
}

// sort puts those first that have failed, and then those that take so long that the run would wait
// for them if they started late. The rest stays in its order, in which tests share fixtures.
func (q *queue) sort(tests []Test, m *memory) {
	if len(m.Tests) == 0 {
		return
	}
	total := q.weight(slices.Concat(q.units...))
	long := total / float64(8*max(q.n, 1))
	rank := func(unit []int) float64 {
		for _, i := range unit {
			if m.Tests[tests[i].ID].Failed {
				return 2 * total
			}
		}
		if w := q.weight(unit); w > long {
			return w
		}
		return 0
	}
	slices.SortStableFunc(q.units, func(a, b []int) int { return cmp.Compare(rank(b), rank(a)) })
}

// weight is how long tests take together.
func (q *queue) weight(indexes []int) float64 {
	sum := 0.0
	for _, i := range indexes {
		sum += q.weights[i]
	}
	return sum
}

// take gives out the next units.
func (q *queue) take(count int) []int {
	count = min(count, len(q.units))
	out := slices.Concat(q.units[:count]...)
	q.units = q.units[count:]
	return out
}

func (q *queue) empty() bool { return len(q.units) == 0 }

// lost puts tests first that were already given out once. They stay together.
func (q *queue) lost(_ *worker, indexes []int) {
	if len(indexes) > 0 {
		q.units = slices.Insert(q.units, 0, indexes)
	}
}

func (q *queue) taken(*worker, []int) {}

// finish lets workers run their last test that nothing follows for.
func (q *queue) finish(all []*worker) {
	if len(q.units) > 0 {
		return
	}
	for _, w := range all {
		w.finishGiven()
	}
}

// load gives neighbouring tests to each worker, many of them as long as many are left.
type load struct {
	queue
	again map[*worker]int // how many tests a worker still has when it gets more
}

func (l *load) feed(all []*worker) {
	n := float64(max(l.n, len(all)))
	for _, w := range all {
		if again, fed := l.again[w]; fed && len(w.given) > again || len(l.units) == 0 {
			continue
		}
		full := l.weight(slices.Concat(l.units...)) / n / 2
		has := l.weight(w.given)
		count := 0
		for ; count < len(l.units) && (len(w.given)+count < 2 || has < full); count++ {
			has += l.weight(l.units[count])
		}
		w.run(l.take(count))
		l.again[w] = max(1, len(w.given)/2)
	}
	l.finish(all)
}

func (l *load) lost(_ *worker, indexes []int) {
	for i, index := range indexes {
		l.units = slices.Insert(l.units, i, []int{index})
	}
}

// scopes gives units to each worker as long as it has fewer than two tests.
type scopes struct{ queue }

func (s *scopes) feed(all []*worker) {
	for range 2 { // one for each before a second one
		for _, w := range all {
			if len(w.given) < 2 && len(s.units) > 0 {
				w.run(s.take(1))
			}
		}
	}
	s.finish(all)
}

// workSteal gives all tests out at the beginning. Who has run out of them gets half of those of the
// worker that has most.
type workSteal struct {
	queue
	begun map[*worker]bool // who has had its share
}

func (s *workSteal) feed(all []*worker) {
	hungry := slices.DeleteFunc(slices.Clone(all), func(w *worker) bool { return len(w.given) >= 2 })
	for i, w := range hungry {
		share := len(hungry) - i
		if !s.begun[w] {
			share = max(share, s.n-len(s.begun))
			s.begun[w] = true
		}
		w.run(s.take((len(s.units) + share - 1) / share))
	}
	if len(s.units) > 0 || len(hungry) == 0 || slices.ContainsFunc(all, func(w *worker) bool { return w.asked != nil }) {
		return
	}
	rich := slices.MaxFunc(all, func(a, b *worker) int { return len(a.given) - len(b.given) })
	// It keeps the test that runs and the one that it knows to follow.
	if half := (len(rich.given) - 1) / 2; half > 0 {
		rich.asked = slices.Clone(rich.given[len(rich.given)-half:])
		rich.tell("return", rich.asked)
		return
	}
	s.finish(all)
}

func (s *workSteal) taken(_ *worker, indexes []int) {
	for _, index := range indexes {
		s.units = append(s.units, []int{index})
	}
}

func (s *workSteal) lost(w *worker, indexes []int) { s.taken(w, indexes) }

// each gives all tests to every worker. One that replaces another gets what that has not run.
type each struct {
	given map[*worker]bool
}

func (e *each) feed(all []*worker) {
	for _, w := range all {
		if e.given[w] {
			continue
		}
		e.given[w] = true
		if w.todo == nil {
			for i := range w.tests {
				w.todo = append(w.todo, i)
			}
		}
		w.run(w.todo)
		w.finishGiven()
	}
}

func (e *each) taken(*worker, []int) {}
func (e *each) lost(*worker, []int)  {}
func (e *each) empty() bool          { return true }
