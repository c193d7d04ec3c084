package cpython

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/worker/engine"
)

const (
	// quickTime is how long a function takes at most that is called quick.
	quickTime = 20 * time.Microsecond
	// lookTime is how often it is looked whether such a function takes longer than it did before.
	lookTime = 5 * time.Millisecond
)

// stringHead is what stands in front of a serialized text: opcode and length.
const stringHead = 5

// function is a Go function, and what is known of it from its calls.
type function struct {
	engine.Function
	name  string      // with its module
	head  int         // how many bytes its name takes, serialized
	quick atomic.Bool // it was the last time it was called
}

// functionsByName are the functions by their dotted names.
func functionsByName(modules engine.Functions) map[string]*function {
	named := map[string]*function{}
	for module, functions := range modules {
		for name, f := range functions {
			dotted := module + "." + name
			named[dotted] = &function{Function: f, name: dotted, head: stringHead + len(dotted)}
		}
	}
	return named
}

// function returns the function of a call, nil if there is none of that name. The call is not
// loaded for that: it begins with the name.
func (c *calls) function(payload []byte) *function {
	if len(payload) < stringHead {
		return nil
	}
	name := payload[stringHead:]
	if n := binary.BigEndian.Uint32(payload[1:]); uint64(n) < uint64(len(name)) {
		name = name[:n]
	}
	return c.byName[string(name)]
}

// keeper notes the call that the reading goroutine runs without having passed on its turn.
type keeper struct {
	running atomic.Pointer[call] // nil again as soon as another goroutine reads
	looking atomic.Bool          // whether timer is set
	timer   *time.Timer          // calls look
	seen    *call                // the one that ran at the last look
}

// passTurn lets another goroutine read.
func (c *calls) passTurn(relay *gatewaybase.Relay) {
	select {
	case c.turn <- struct{}{}:
	default:
		go c.read(relay)
	}
}

// keepTurn runs a call in the goroutine whose turn it is, and reports whether it still is.
func (c *calls) keepTurn(relay *gatewaybase.Relay, k *call) (kept bool) {
	returned := false
	defer func() {
		if kept = c.keeper.running.CompareAndSwap(k, nil); kept && !returned {
			go c.read(relay) // the function ends its goroutine
		}
	}()
	c.keeper.running.Store(k)
	if c.keeper.looking.CompareAndSwap(false, true) {
		c.keeper.timer.Reset(lookTime)
	}
	k.run()
	returned = true
	return
}

// look passes the turn on if the call that ran at the last look is running still. It stops looking
// when no call runs; the next one begins it again.
func (c *calls) look(relay *gatewaybase.Relay) {
	k := c.keeper.running.Load()
	if k != nil && k == c.keeper.seen && c.keeper.running.CompareAndSwap(k, nil) {
		c.passTurn(relay)
		k = nil
	}
	if c.keeper.seen = k; k == nil {
		c.keeper.looking.Store(false)
		if c.keeper.running.Load() == nil || !c.keeper.looking.CompareAndSwap(false, true) {
			return
		}
	}
	c.keeper.timer.Reset(lookTime)
}
