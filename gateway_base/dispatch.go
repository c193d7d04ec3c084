package gatewaybase

import (
	"errors"
	"fmt"

	"github.com/go-execnet/execnet/serializer"
)

// errTerminated ends receiving when the far end has sent GATEWAY_TERMINATE.
var errTerminated = errors.New("execnet: the far end has terminated the gateway")

// errExecutionDisallowed is what a driver answers to a worker that asks it to execute source
// (execnet's BaseGateway._local_schedulexec).
var errExecutionDisallowed = errors.New("execution disallowed")

// dispatch acts on one message (protocol.md section 3). It waits for nothing: neither for the user
// of a channel nor for a write. It reports whether a goroutine waits for what came. An error ends
// the gateway.
func (g *Gateway) dispatch(m message) (awaited bool, err error) {
	if r := g.relayFor(m.channel); r != nil {
		return false, r.forward(m)
	}
	switch m.code {
	case codeData:
		return g.dispatchData(m)
	case codeClose:
		return g.table.remoteClose(m.channel, nil, false), nil
	case codeCloseError:
		return g.table.remoteClose(m.channel, remoteErrorOf(m.payload), false), nil
	case codeLastMessage:
		return g.table.remoteClose(m.channel, nil, true), nil
	case codeTerminate:
		return false, errTerminated
	case codeReconfigure:
		return false, g.dispatchReconfigure(m)
	case codeStatus:
		return false, g.answerStatus(m)
	case codeExec:
		return false, g.execute(m)
	}
	return false, nil
}

// answer posts the answer to a message. It is no error if the pipe is closed for writing: what the
// far end has sent is still to be read.
func (g *Gateway) answer(c code, channel int32, payload []byte) error {
	if g.out.full() {
		return errNotReading
	}
	_ = g.post(c, channel, payload)
	return nil
}

func (g *Gateway) dispatchData(m message) (awaited bool, err error) {
	if m.channel == asideID && (g.aside != nil || g.windows.both) {
		g.dispatchAside(m.payload)
		return false, nil
	}
	c := g.table.get(m.channel)
	if c == nil {
		g.trace("dropping data for unknown channel", m.channel)
		return false, g.closeChannelsIn(m.payload)
	}
	// Channels inside the item must exist before the next message, which may be for one of them.
	it := item{payload: m.payload}
	err = c.codec.Load().ChannelIDs(m.payload, func(id int32) error {
		it.carries = true
		return g.table.note(id, c)
	})
	if err != nil {
		// The message is complete, so the next one can be read. Receive reports the error.
		g.trace("channel", m.channel, "got an item that cannot be loaded:", err)
		if err := g.closeChannelsIn(m.payload); err != nil {
			return false, err
		}
	}
	taken, awaited, err := c.deliver(it)
	if !taken {
		c.forget([]item{it})
	}
	return awaited, err
}

// closeChannelsIn closes the channels that are named by an item which nobody will receive.
// Otherwise whoever waits at their other end would wait for ever.
func (g *Gateway) closeChannelsIn(payload []byte) error {
	var failed error
	// An item that cannot be read to its end is dropped like any other.
	_ = g.channelsIn(payload, func(id int32) error {
		if !g.table.knows(id) {
			failed = g.answer(codeClose, id, nil)
		}
		return failed
	})
	return failed
}

func (g *Gateway) dispatchReconfigure(m message) error {
	v, err := g.codec.Load().Load(m.payload)
	pair, _ := v.(serializer.Tuple)
	if err != nil || len(pair) != 2 {
		return &protocolError{fmt.Sprintf("RECONFIGURE with %v (%v) instead of two booleans", v, err)}
	}
	py2, ok2 := pair[0].(bool)
	py3, ok3 := pair[1].(bool)
	if !ok2 || !ok3 {
		return &protocolError{fmt.Sprintf("RECONFIGURE with %v instead of two booleans", v)}
	}
	codec := g.newCodec(StrConfig{Py2StrAsPy3Str: py2, Py3StrAsPy2Str: py3})
	if m.channel == 0 {
		g.codec.Store(codec)
		if r := g.relay.Load(); r != nil {
			return r.forward(m)
		}
		return nil
	}
	c, err := g.table.ensure(m.channel)
	if err != nil {
		return err
	}
	c.codec.Store(codec)
	return nil
}

// answerStatus sends this end's status, as execnet's Message._status does: as data on the id that
// the far end asked with, and then the close of that id. This end makes no channel for it.
//
// A relay is asked first, and its answer goes back with what this end has added.
func (g *Gateway) answerStatus(m message) error {
	if r := g.relay.Load(); r != nil && r.ask(m) {
		return nil
	}
	return g.answerOwnStatus(m.channel)
}

func (g *Gateway) answerOwnStatus(id int32) error {
	payload, err := g.statusPayload(0, 0)
	if err != nil {
		return err
	}
	if err := g.answer(codeData, id, payload); err != nil {
		return err
	}
	return g.answer(codeClose, id, nil)
}

// statusPayload is this end's status, with channels and executions elsewhere added.
func (g *Gateway) statusPayload(channels, elsewhere int) ([]byte, error) {
	executing, model := g.status()
	return g.codec.Load().Append(nil, serializer.NewDict("numchannels", channels+g.table.open(),
		"numexecuting", elsewhere+executing, "execmodel", model))
}
