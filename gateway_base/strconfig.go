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

func (g *Gateway) newCodec(s StrConfig) *serializer.Codec {
	return &serializer.Codec{Py2StrAsPy3Str: s.Py2StrAsPy3Str, Py3StrAsPy2Str: s.Py3StrAsPy2Str, Channels: &g.table}
}

// Reconfigure sets the string configuration of both ends for channels that are made from now on. It
// is execnet's Gateway.reconfigure.
func (g *Gateway) Reconfigure(ctx context.Context, s StrConfig) error {
	g.codec.Store(g.newCodec(s))
	return g.sendReconfigure(ctx, 0, s)
}

// Reconfigure sets the string configuration of both ends of this channel, for items that arrive
// from now on. It is execnet's Channel.reconfigure.
func (c *Channel) Reconfigure(ctx context.Context, s StrConfig) error {
	c.core.codec.Store(c.core.gateway.newCodec(s))
	return c.core.gateway.sendReconfigure(ctx, c.core.id, s)
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
