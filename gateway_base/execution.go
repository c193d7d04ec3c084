package gatewaybase

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/go-execnet/execnet/serializer"
)

// Program is what the driver asks to have executed: the payload of a CHANNEL_EXEC
// ([protocol.md section 3.4]).
//
// [protocol.md section 3.4]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#34-channel_exec-3
type Program struct {
	// Source is Python source.
	Source string
	// File is the name that tracebacks show, empty if the driver named none.
	File string
	// Call names a function that Source defines; it is called with the channel and Kwargs. Empty
	// means that there is none.
	Call string
	// Kwargs are the keyword arguments of Call. It is never nil, and its keys are strings.
	Kwargs *serializer.Dict
}

// Executor executes the programs that a driver sends. A gateway with an Executor is a worker's: see
// [Config].
type Executor interface {
	// Execute begins an execution. The goroutine that reads calls it, in the order of the messages,
	// so it must not wait for anything. Whoever runs the execution calls Execution.End once at its
	// end, from any goroutine.
	Execute(*Execution)
	// Status returns how many executions have begun and not ended, and the name of the execution
	// model.
	Status() (executing int, execModel string)
	// Finish is called once, when nothing more will be received and so no more executions begin. It
	// waits for those that run. What they send until it returns is written.
	Finish()
}

// ExecModel is the name of the execution model of this end: in a worker the one that its driver
// asked for, in a driver "thread". Remote code sees it as gateway.execmodel.backend. RemoteStatus
// returns that of the far end.
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

// Execution is a program that runs in a worker, and its channel.
type Execution struct {
	Program
	// Channel is the program's variable channel. Its Close returns ErrExecuting until End.
	Channel *Channel
}

// End ends the execution and its channel: in order if text is empty, else with text as the driver's
// RemoteError. If nothing is received any more, as after GATEWAY_TERMINATE, the driver is not told
// (execnet's WorkerGateway.executetask).
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
	// The only error is ErrExecuting, which has just been ruled out.
	_ = e.Channel.CloseWithError(reason)
}

// execute gives a CHANNEL_EXEC to the executor. A driver has none, and refuses.
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
	// Let the execution begin on this thread before it looks for the next message: waking another
	// thread takes as long again.
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
