package gatewaybase

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-execnet/execnet/serializer"
)

// errTerminated ends receiving when the far end says GATEWAY_TERMINATE.
var errTerminated = errors.New("execnet: the far end has terminated the gateway")

// executionDisallowed is what a driver answers to a worker that asks it to execute source
// (execnet's BaseGateway._local_schedulexec).
const executionDisallowed = "execution disallowed"

// dispatch acts on one message (protocol.md section 3). It never waits: not for a channel's user,
// not for writing. An error ends the gateway.
func (g *Gateway) dispatch(m message) error {
	switch m.code {
	case codeData:
		return g.dispatchData(m)
	case codeClose:
		g.table.remoteClose(m.channel, nil, false)
	case codeCloseError:
		g.table.remoteClose(m.channel, remoteErrorOf(m.payload), false)
	case codeLastMessage:
		g.table.remoteClose(m.channel, nil, true)
	case codeTerminate:
		return errTerminated
	case codeReconfigure:
		return g.dispatchReconfigure(m)
	case codeStatus:
		return g.answerStatus(m.channel)
	case codeExec:
		return g.execute(m)
	}
	return nil
}

// answer posts what a message of the far end calls for. That the pipe is closed for writing is no
// reason to stop reading.
func (g *Gateway) answer(c code, channel int32, payload []byte) error {
	if err := g.post(c, channel, payload); errors.Is(err, errNotReading) {
		return err
	}
	return nil
}

func (g *Gateway) dispatchData(m message) error {
	c := g.table.get(m.channel)
	if c == nil {
		g.trace("dropping data for unknown channel", m.channel)
		return g.refuseChannelsIn(m.payload)
	}
	// Channels inside the item must exist before the next message, which may be for one of them.
	var carried map[int32]*Channel
	err := serializer.ChannelIDs(m.payload, func(id int32) error {
		inner, err := g.table.ensure(id)
		if err != nil {
			return err
		}
		if carried == nil {
			carried = make(map[int32]*Channel)
		}
		if inner != c { // a channel that held itself would never be dropped
			carried[id] = inner.handle()
		}
		return nil
	})
	if err != nil {
		// The frame is whole, so the stream goes on; whoever receives the item is told.
		g.trace("channel", m.channel, "got an item that cannot be loaded:", err)
	}
	g.reader.found = c.deliver(item{payload: m.payload, carried: carried})
	return nil
}

// refuseChannelsIn closes the channels that an item names which nobody will receive: whoever waits
// at their other end would wait for good.
func (g *Gateway) refuseChannelsIn(payload []byte) error {
	var refused error
	// An item that cannot be read to its end is thrown away like another.
	_ = serializer.ChannelIDs(payload, func(id int32) error {
		if g.table.get(id) == nil {
			refused = g.answer(codeClose, id, nil)
		}
		return refused
	})
	return refused
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
		return nil
	}
	c, err := g.table.ensure(m.channel)
	if err != nil {
		return err
	}
	c.codec.Store(codec)
	return nil
}

// answerStatus tells the far end about this one, as execnet's Message._status: the answer is data
// on the id asked with, then its close; no channel is made for it here.
func (g *Gateway) answerStatus(id int32) error {
	executing, model := g.status()
	payload, err := g.codec.Load().Append(nil, serializer.NewDict(
		"numchannels", g.table.open(), "numexecuting", executing, "execmodel", model))
	if err != nil {
		return err
	}
	if err := g.answer(codeData, id, payload); err != nil {
		return err
	}
	return g.answer(codeClose, id, nil)
}

// remoteErrorOf reads the text of a CHANNEL_CLOSE_ERROR.
func remoteErrorOf(payload []byte) *RemoteError {
	codec := serializer.Codec{Py2StrAsPy3Str: true}
	v, err := codec.Load(payload)
	if err != nil {
		return &RemoteError{Formatted: fmt.Sprintf("unreadable error text: %v", err)}
	}
	switch text := v.(type) {
	case string:
		return &RemoteError{Formatted: text}
	case []byte:
		return &RemoteError{Formatted: string(text)}
	default:
		return &RemoteError{Formatted: fmt.Sprint(v)}
	}
}

// errorPayload is the payload of a CHANNEL_CLOSE_ERROR.
func errorPayload(text string) []byte {
	var codec serializer.Codec
	payload, err := codec.Append(nil, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		panic("a valid string cannot be dumped: " + err.Error())
	}
	return payload
}
