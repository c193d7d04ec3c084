package xspec

import "fmt"

// Launched is what the specs of the workers of one launch share: one start of the launcher brings
// all of them.
type Launched struct {
	// N is how many they are.
	N int
}

// Workers returns the specs of the gateways that s asks for: a copy of s, or, for a launch with an
// n above 1, one for each of its workers, in the order of their ranks. With an ID, theirs have the
// rank behind it: "x-0", "x-1".
func (s *Spec) Workers() []*Spec {
	if s.Kind() != KindLaunch || s.N <= 1 || s.Launched != nil {
		return []*Spec{s.Clone()}
	}
	launched := &Launched{N: s.N}
	all := make([]*Spec, s.N)
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
