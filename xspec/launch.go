package xspec

import "fmt"

// Launched is what the specs of the workers of one launch share: one start of the launcher brings
// all of them.
type Launched struct {
	// N is how many they are.
	N int
}

// Launches reports whether a launcher starts the worker, which then connects to this process:
// whether s is one with launch or slurm.
func (s *Spec) Launches() bool { return s.Kind() == KindLaunch || s.Kind() == KindSlurm }

// Workers returns the specs of the gateways that s asks for: a copy of s, or, for a launch with an
// n above 1, or for slurm with a number above 1, one for each of its workers, in the order of their
// ranks. With an ID, theirs have the rank behind it: "x-0", "x-1".
func (s *Spec) Workers() []*Spec {
	n := max(s.N, s.Slurm)
	if !s.Launches() || n <= 1 || s.Launched != nil {
		return []*Spec{s.Clone()}
	}
	launched := &Launched{N: n}
	all := make([]*Spec, n)
	for rank := range all {
		worker := s.Clone()
		worker.Launched, worker.Rank = launched, rank
		if s.ID != "" {
			worker.ID = fmt.Sprintf("%s-%d", s.ID, rank)
		}
		all[rank] = worker
	}
	return all
}
