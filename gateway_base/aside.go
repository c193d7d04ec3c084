package gatewaybase

import (
	"context"

	"github.com/go-execnet/execnet/serializer"
)

// The kinds of items that a worker of this module sends aside of all channels, if the driver has
// asked for them ([protocol.md section 6.9]). Their sum says what a driver wants.
//
// [protocol.md section 6.9]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#69-what-is-printed
const (
	AsideStdout = 1 // what is written to descriptor 1
	AsideStderr = 2 // what is written to descriptor 2
	AsideLog    = 4 // records of Python's logging, or of log/slog
)

// AsideWindow is how many bytes of such items may be on their way that the driver has not
// confirmed.
const AsideWindow = 256 << 10

// asideID is the channel id of these items and of the driver's confirmations. No channel has it.
const asideID = 0

// SendAside sends an item that belongs to no channel, and returns how many bytes it has. ctx bounds
// the sending. Only a far end that expects such items does anything with it. The errors are those
// of Channel.Send.
func SendAside(ctx context.Context, g *Gateway, item any) (size int, err error) {
	f := newFrame()
	if f.bytes, err = asideCodec.Append(f.bytes, item); err != nil {
		f.free()
		return 0, err
	}
	size = len(f.bytes) - headerSize
	return size, g.send(ctx, codeData, asideID, f)
}

// PostAside is SendAside that does not wait. It fails if the gateway has ended, or if too much
// waits to be sent.
func PostAside(g *Gateway, item any) error {
	payload, err := asideCodec.Append(nil, item)
	if err != nil {
		return err
	}
	return g.post(codeData, asideID, payload)
}

// asideCodec takes bytes for bytes and text for text, whatever the user has configured.
var asideCodec serializer.Codec

// dispatchAside hands an item to Config.Aside.
func (g *Gateway) dispatchAside(payload []byte) {
	codec := asideCodec
	codec.MaxCost = g.maxCost
	item, err := codec.Load(payload)
	if err != nil {
		g.trace("got an item aside that cannot be loaded:", err)
		return
	}
	if told, ok := readWindowItem(item); ok {
		if r := g.relayFor(told.channel); r != nil {
			r.passWindow(payload)
		} else if g.windows.both {
			g.windows.heard(g, told)
		}
	} else if g.aside != nil {
		g.aside(g, item, len(payload))
	}
}

// passWindow passes an item on that tells what the driver takes of a channel of the far end.
func (r *Relay) passWindow(payload []byte) {
	r.awaitRoom()
	_ = r.post(codeData, asideID, payload) // it fails if the far end has gone
}

// backAside hands an item of the far end to Config.RelayAside, or to the driver if it tells what
// the far end takes of a channel.
func (r *Relay) backAside(m message) error {
	if m.code != codeData {
		return nil
	}
	item, err := asideCodec.Load(m.payload)
	if err != nil {
		r.gateway.trace("[relay] got an item aside that cannot be loaded:", err)
		return nil
	}
	if told, ok := readWindowItem(item); ok {
		if told.channel > relayIDs && told.channel%2 == 1 {
			return nil // a channel between that worker and this end, which counts nothing
		}
		return r.backToDriver(m)
	}
	if r.gateway.ofRelay == nil {
		return nil
	}
	r.gateway.ofRelay(item, len(m.payload), func(n int) {
		if payload, err := asideCodec.Append(nil, n); err == nil {
			_ = r.post(codeData, asideID, payload) // it fails if the far end has gone
		}
	})
	return nil
}
