package serializer

import (
	"reflect"
	"sync"
)

// plans remembers what was worked out about Go types. A plan is visible to others only when it and
// all the plans it refers to are complete.
type plans[P any] struct {
	done sync.Map // reflect.Type -> *P
	mu   sync.Mutex
}

// of returns the plan of t, made by plan if need be: plan fills in p and gets the plans it needs,
// which may be incomplete as yet, from of.
func (ps *plans[P]) of(t reflect.Type, plan func(t reflect.Type, p *P, of func(reflect.Type) *P)) *P {
	if p, ok := ps.done.Load(t); ok {
		return p.(*P)
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	making := map[reflect.Type]*P{}
	var of func(reflect.Type) *P
	of = func(t reflect.Type) *P {
		if p, ok := ps.done.Load(t); ok {
			return p.(*P)
		}
		if p, ok := making[t]; ok {
			return p
		}
		p := new(P)
		making[t] = p
		plan(t, p, of)
		return p
	}
	p := of(t)
	for t, p := range making {
		ps.done.Store(t, p)
	}
	return p
}
