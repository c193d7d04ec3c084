package serializer

import (
	"reflect"
	"sync"
)

// plans keeps how to serialize or load the values of each Go type. Other goroutines see a plan only
// when it and all the plans it refers to are complete.
type plans[P any] struct {
	done sync.Map // reflect.Type -> *P
	mu   sync.Mutex
}

// of returns the plan of t. If there is none it calls plan, which fills in p; the plans that plan
// gets from its argument of may still be incomplete.
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
