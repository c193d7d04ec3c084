package gatewaybase

import (
	"context"

	"github.com/go-execnet/execnet/serializer"
)

// StrConfig says what the strings of Python 2 and Python 3 become at the receiving end
// ([protocol.md section 4.7]; execnet's reconfigure). A gateway starts with {true, false}.
//
// [protocol.md section 4.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#47-strings-and-strconfig
type StrConfig struct {
	// Py2StrAsPy3Str turns a Python 2 str into text, as latin-1; otherwise it becomes []byte.
	Py2StrAsPy3Str bool
	// Py3StrAsPy2Str turns a Python 3 str into bytes; otherwise it becomes text.
	Py3StrAsPy2Str bool
}

// defaultStrings is what a gateway starts with.
var defaultStrings = StrConfig{Py2StrAsPy3Str: true}

// useDefaultStrings is for answers to this module's own questions, which have to be understood
// whatever Gateway.Reconfigure has chosen for the user's items.
func (c *Channel) useDefaultStrings() { c.core.codec.Store(c.core.gateway.newCodec(defaultStrings)) }

func (g *Gateway) newCodec(s StrConfig) *serializer.Codec {
	return &serializer.Codec{
		Py2StrAsPy3Str: s.Py2StrAsPy3Str, Py3StrAsPy2Str: s.Py3StrAsPy2Str,
		Channels: &g.table, MaxCost: g.maxCost, Ended: g.killedError,
	}
}

// Reconfigure sets the string configuration of both ends for channels that are made from now on. It
// is execnet's Gateway.reconfigure.
func (g *Gateway) Reconfigure(ctx context.Context, s StrConfig) error {
	g.codec.Store(g.newCodec(s))
	g.calls.reset()
	return g.sendReconfigure(ctx, 0, s)
}

// Reconfigure sets the string configuration of both ends of this channel, for items that arrive
// from now on. It is execnet's Channel.reconfigure.
func (c *Channel) Reconfigure(ctx context.Context, s StrConfig) error {
	core := c.core
	core.codec.Store(core.gateway.newCodec(s))
	core.mu.Lock()
	core.reconfigured = true
	core.mu.Unlock()
	err := core.gateway.sendReconfigure(ctx, core.id, s)
	core.met() // the message registers its id there
	core.mu.Lock()
	ended := core.ending
	core.mu.Unlock()
	if ended {
		core.forgetThere()
	}
	return err
}

// forgetThere has the far end forget a string configuration that has crossed its close of the
// channel: it could not know that no such channel will come.
func (c *core) forgetThere() { c.notify(codeClose, nil) }

// strConfigPayload is the payload of a RECONFIGURE that sets what c has.
func strConfigPayload(c *serializer.Codec) []byte {
	payload, err := c.Append(nil, serializer.Tuple{c.Py2StrAsPy3Str, c.Py3StrAsPy2Str})
	if err != nil {
		panic("two booleans cannot be dumped: " + err.Error())
	}
	return payload
}

func (g *Gateway) sendReconfigure(ctx context.Context, channel int32, s StrConfig) error {
	f := newFrame()
	var err error
	f.bytes, err = g.codec.Load().Append(f.bytes, serializer.Tuple{s.Py2StrAsPy3Str, s.Py3StrAsPy2Str})
	if err != nil {
		return err
	}
	return g.send(ctx, codeReconfigure, channel, f)
}
