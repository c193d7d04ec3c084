package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/go-execnet/execnet/serializer"
)

// Interrupt interrupts the execution that the channel belongs to, and nothing else: its Python
// source gets a KeyboardInterrupt, its Go function finds its context ended. It returns when the far
// end has done that, or when there is no execution, because it has ended. WaitClose waits for the
// end of the execution; after a KeyboardInterrupt that nobody has caught it returns a [RemoteError]
// with the text "keyboard-interrupted". An execution that has not begun does not begin.
//
// It cannot stop C code that computes and, in other threads than the main thread of the worker,
// what waits: for a lock, in time.sleep, for a socket. channel.receive is interrupted in all
// threads. Python 2 can be interrupted in its main thread only: for an execution in another one
// Interrupt returns a [RemoteError] that says so. It returns an error in which errors.Is finds
// errors.ErrUnsupported if the far end is pip's execnet, which has nothing like it; [ErrTimeout]
// or ctx's error when ctx ends first; and a [GatewayDiedError] if the far end has died. It is a
// part of [protocol.md section 6.8].
//
// [protocol.md section 6.8]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#68-calls
func (c *Channel) Interrupt(ctx context.Context) error {
	defer runtime.KeepAlive(c)
	gateway := c.core.gateway
	err := errNotServed
	var found any
	for _, behind := range []bool{false, true} {
		var line *callLine
		if line, err = gateway.calls.lineOf(ctx, behind); err != nil {
			break
		}
		if err = line.ask(ctx, serializer.Tuple{nil, c.core.id}, &found); err != nil || found != nil {
			break
		}
	}
	if err == errNotServed {
		return fmt.Errorf("execnet: the worker of gateway %s cannot interrupt one execution: %w", gateway.id, errors.ErrUnsupported)
	}
	return err
}
