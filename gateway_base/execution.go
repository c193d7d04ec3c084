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

// End ends the execution and its channel: in order if reason is nil, else with its text as the
// driver's RemoteError. A *RemoteError also tells its class, if the driver asked for that. If
// nothing is received any more, as after GATEWAY_TERMINATE, the driver is not told (execnet's
// WorkerGateway.executetask).
func (e *Execution) End(reason error) {
	c := e.Channel.core
	c.mu.Lock()
	c.executing = false
	c.mu.Unlock()
	if reason != nil && !e.Channel.core.gateway.HasReceiver() {
		return
	}
	// The only error is ErrExecuting, which has just been ruled out.
	_ = e.Channel.CloseWithError(reason)
}

// EndsSeen counts the io.EOFs that Receive and files have returned for the end of c. By it the code
// of a worker tells whether the io.EOF of a function is the end of that function's own channel,
// which ends an execution in order, or that of a file ([protocol.md section 6.6]).
//
// [protocol.md section 6.6]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#66-how-an-execution-ends
func EndsSeen(c *Channel) int {
	c.core.mu.Lock()
	defer c.core.mu.Unlock()
	return c.core.ends
}

// execute gives a CHANNEL_EXEC to the executor. A driver has none, and refuses.
func (g *Gateway) execute(m message) error {
	if g.executor == nil {
		return g.answer(codeCloseError, m.channel, errorPayload(errExecutionDisallowed, false))
	}
	if g.out.full() {
		return errNotReading // the close of this execution could only wait, like those before
	}
	program, err := g.program(m.payload)
	if err != nil {
		return err
	}
	if served, err := g.serveCalls(m.channel, &program); served || err != nil {
		return err
	}
	if g.route != nil {
		passed, err := g.executeThere(m, program)
		if passed || err != nil {
			return err
		}
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

// executeThere gives a program to a relay, if one is to run it. One that has just ended is replaced
// by another one, once. A program that nobody can run is answered with the reason.
func (g *Gateway) executeThere(m message, p Program) (passed bool, err error) {
	for range 2 {
		route := g.route(g, p)
		if route.Why != "" {
			g.trace("channel", m.channel, "runs in", route.Why)
		}
		switch {
		case route.Err != nil:
			return true, g.answer(codeCloseError, m.channel, errorPayload(route.Err, g.describe))
		case route.Relay == nil:
			return false, nil
		case route.Relay.execute(m):
			return true, nil
		}
	}
	return true, g.answer(codeCloseError, m.channel, errorPayload(errEndsAtOnce, false))
}

var errEndsAtOnce = errors.New("execnet: the Python behind this Go worker ends as soon as it is started")

// program reads the payload of a CHANNEL_EXEC.
func (g *Gateway) program(payload []byte) (Program, error) {
	v, err := g.newCodec(defaultStrings).Load(payload) // whatever Gateway.Reconfigure says
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
	var p Program
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
	var ok bool
	if p.Kwargs, ok = stringKeys(parts[3]); !ok {
		return bad()
	}
	return p, nil
}

// stringKeys is a dict of keyword arguments with all keys as strings. The str of Python 2 may have
// become bytes.
func stringKeys(v any) (*serializer.Dict, bool) {
	given, ok := v.(*serializer.Dict)
	if !ok {
		return nil, false
	}
	kwargs := serializer.NewDict()
	for name, value := range given.All() {
		if b, ok := name.([]byte); ok {
			name = string(b)
		}
		if _, ok := name.(string); !ok {
			return nil, false
		}
		_ = kwargs.Set(name, value) // a string is always hashable
	}
	return kwargs, true
}
