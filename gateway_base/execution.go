package gatewaybase

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/go-execnet/execnet/serializer"
)

// Program is what the driver asks to have executed: the payload of a CHANNEL_EXEC (protocol.md
// sections 3.4 and 6).
type Program struct {
	// Source is Python source, not yet compiled.
	Source string
	// File is the name that tracebacks show, empty if the driver named none.
	File string
	// Call names a function that Source defines, to be called with the channel and Kwargs; empty
	// for none.
	Call string
	// Kwargs are the keyword arguments of Call; never nil, its keys are strings.
	Kwargs *serializer.Dict
}

// Executor executes what a driver sends. It makes a gateway the worker's end: see Config.
type Executor interface {
	// Execute begins an execution. The goroutine that reads calls it, in the order of the
	// CHANNEL_EXECs: it must not wait for anything. It ends the execution with Execution.End,
	// exactly once, from any goroutine.
	Execute(*Execution)
	// Status tells how many executions have begun and not ended, and the name of the execution
	// model.
	Status() (executing int, execModel string)
	// Finish is called once, when nothing more will be received and so no further execution begins.
	// It waits for those that run; what they send until it returns is written.
	Finish()
}

// ExecModel names the execution model of this end: at a worker what its driver asked for, at a
// driver "thread". It is the backend of execnet's gateway.execmodel, which remote code looks at; a
// driver learns its worker's by RemoteStatus.
func (g *Gateway) ExecModel() string {
	_, model := g.status()
	return model
}

func (g *Gateway) status() (executing int, execModel string) {
	if g.executor == nil {
		return 0, "thread"
	}
	return g.executor.Status()
}

// Execution is one program with its channel, at the worker.
type Execution struct {
	Program
	// Channel is what the program knows as channel. Its Close reports ErrExecuting until End.
	Channel *Channel
}

// End ends the execution and with it the channel: in order if text is empty, otherwise with text as
// the driver's RemoteError. Once nothing is received any more, as after GATEWAY_TERMINATE, the
// driver is told nothing (execnet's WorkerGateway.executetask).
func (e *Execution) End(text string) {
	c := e.Channel.core
	c.mu.Lock()
	c.executing = false
	c.mu.Unlock()
	var reason error
	if text != "" {
		reason = errors.New(text)
		if !e.Channel.core.gateway.HasReceiver() {
			return
		}
	}
	// Nothing but ErrExecuting can come of it.
	_ = e.Channel.CloseWithError(reason)
}

// execute hands a CHANNEL_EXEC to the executor; a driver has none and refuses.
func (g *Gateway) execute(m message) error {
	if g.executor == nil {
		return g.answer(codeCloseError, m.channel, errorPayload(executionDisallowed))
	}
	program, err := g.program(m.payload)
	if err != nil {
		return err
	}
	c, err := g.table.ensure(m.channel)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.executing = true
	c.mu.Unlock()
	g.executor.Execute(&Execution{program, c.handle()})
	// The execution begins on this thread, which would look for the next message first; waking
	// another takes as long again.
	runtime.Gosched()
	return nil
}

// program reads the payload of a CHANNEL_EXEC.
func (g *Gateway) program(payload []byte) (Program, error) {
	v, err := g.codec.Load().Load(payload)
	if err != nil {
		return Program{}, &protocolError{fmt.Sprintf("CHANNEL_EXEC with a payload that cannot be loaded: %v", err)}
	}
	bad := func() (Program, error) {
		return Program{}, &protocolError{"CHANNEL_EXEC whose payload is not (source, file name, function name, kwargs)"}
	}
	parts, _ := v.(serializer.Tuple)
	if len(parts) != 4 {
		return bad()
	}
	p := Program{Kwargs: serializer.NewDict()}
	for i, to := range []*string{&p.Source, &p.File, &p.Call} {
		switch part := parts[i].(type) {
		case string:
			*to = part
		case []byte: // the str of Python 2
			*to = string(part)
		case nil:
			if i == 0 {
				return bad()
			}
		default:
			return bad()
		}
	}
	kwargs, ok := parts[3].(*serializer.Dict)
	if !ok {
		return bad()
	}
	for name, value := range kwargs.All() {
		if b, ok := name.([]byte); ok {
			name = string(b)
		}
		if _, ok := name.(string); !ok {
			return bad()
		}
		if err := p.Kwargs.Set(name, value); err != nil {
			return Program{}, err
		}
	}
	return p, nil
}
