package gatewaybase

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-execnet/execnet/serializer"
)

// errTerminated ends receiving when the far end has sent GATEWAY_TERMINATE.
var errTerminated = errors.New("execnet: the far end has terminated the gateway")

// executionDisallowed is what a driver answers to a worker that asks it to execute source
// (execnet's BaseGateway._local_schedulexec).
const executionDisallowed = "execution disallowed"

// dispatch acts on one message (protocol.md section 3). It waits for nothing: neither for the user
// of a channel nor for a write. It reports whether a goroutine waits for what came. An error ends
// the gateway.
func (g *Gateway) dispatch(m message) (awaited bool, err error) {
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
		return false, g.answerStatus(m.channel)
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
	c := g.table.get(m.channel)
	if c == nil {
		g.trace("dropping data for unknown channel", m.channel)
		return false, g.closeChannelsIn(m.payload)
	}
	// Channels inside the item must exist before the next message, which may be for one of them.
	var carried map[int32]*Channel
	err = serializer.ChannelIDs(m.payload, func(id int32) error {
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
		// The message is complete, so the next one can be read. Receive reports the error.
		g.trace("channel", m.channel, "got an item that cannot be loaded:", err)
	}
	return c.deliver(item{payload: m.payload, carried: carried}), nil
}

// closeChannelsIn closes the channels that are named by an item which nobody will receive.
// Otherwise whoever waits at their other end would wait for ever.
func (g *Gateway) closeChannelsIn(payload []byte) error {
	var failed error
	// An item that cannot be read to its end is dropped like any other.
	_ = serializer.ChannelIDs(payload, func(id int32) error {
		if g.table.get(id) == nil {
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

// maxErrorText is how much of an error's text travels. A longer text loses its middle: a traceback
// names the file at its beginning and the exception at its end.
const maxErrorText = 1 << 20

// errorPayload is the payload of a CHANNEL_CLOSE_ERROR.
func errorPayload(text string) []byte {
	if cut := len(text) - maxErrorText; cut > 0 {
		half := maxErrorText / 2
		text = fmt.Sprintf("%s\n[... %d bytes are left out here ...]\n%s", text[:half], cut, text[len(text)-half:])
	}
	var codec serializer.Codec
	payload, err := codec.Append(nil, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		panic("a valid string cannot be dumped: " + err.Error())
	}
	return payload
}
