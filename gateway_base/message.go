package gatewaybase

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// code is a message's first byte (protocol.md section 3; execnet's Message class).
type code int8

const (
	codeStatus      code = 0 // asks for a remote status, answered as data on the channel id given
	codeReconfigure code = 1 // string configuration of a channel, or, on id 0, of the gateway
	codeTerminate   code = 2 // the gateway shall end
	codeExec        code = 3 // source to be executed with a channel of this id
	codeData        code = 4 // one item
	codeClose       code = 5 // the sender has closed the channel
	codeCloseError  code = 6 // the same, because of an error, whose text follows
	codeLastMessage code = 7 // the sender will send no more, and still receives
)

var codeNames = [...]string{"STATUS", "RECONFIGURE", "GATEWAY_TERMINATE", "CHANNEL_EXEC", "CHANNEL_DATA",
	"CHANNEL_CLOSE", "CHANNEL_CLOSE_ERROR", "CHANNEL_LAST_MESSAGE"}

func (c code) String() string {
	if c >= 0 && int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", int8(c))
}

// headerSize is what struct.pack("!bii") makes: code, channel id, payload length (protocol.md
// section 2).
const headerSize = 9

// payloadChunk is how much memory is taken because a header says so. More is taken as bytes arrive.
const payloadChunk = 4 << 20

// message is one frame of the wire.
type message struct {
	code    code
	channel int32
	payload []byte
}

func (m message) String() string {
	return fmt.Sprintf("<Message %s channel=%d lendata=%d>", m.code, m.channel, len(m.payload))
}

// putHeader fills the headerSize bytes that frame begins with. The rest of frame is the payload.
func putHeader(frame []byte, c code, channel int32) error {
	n := len(frame) - headerSize
	if n > math.MaxInt32 {
		return fmt.Errorf("execnet: a message of %d bytes exceeds the protocol's limit of %d", n, math.MaxInt32)
	}
	frame[0] = byte(c)
	binary.BigEndian.PutUint32(frame[1:], uint32(channel))
	binary.BigEndian.PutUint32(frame[5:], uint32(n))
	return nil
}

// protocolError is the error of bytes that are not execnet's protocol.
type protocolError struct{ text string }

func (e *protocolError) Error() string {
	return "execnet: " + e.text + " (did something else write to the worker's pipe?)"
}

// messageReader reads frames. When a Read is interrupted, it keeps what has come of a frame and
// goes on from there.
type messageReader struct {
	header  [headerSize]byte
	have    int // bytes of header and payload that have come
	message message
	length  int
}

// errCutOff is the error of a stream that ends within a frame.
var errCutOff = fmt.Errorf("execnet: the stream ended within a message: %w", io.ErrUnexpectedEOF)

// next reads one frame. It returns io.EOF when the stream ends between two frames and errCutOff
// when it ends inside one.
func (p *messageReader) next(r io.Reader) (message, error) {
	if p.have < headerSize {
		n, err := io.ReadFull(r, p.header[p.have:])
		p.have += n
		if err != nil {
			return message{}, p.readError(err)
		}
		if err := p.readHeader(); err != nil {
			return message{}, err
		}
	}
	for at := p.have - headerSize; at < p.length; at = p.have - headerSize {
		if at == len(p.message.payload) {
			grown := make([]byte, min(p.length, 2*at))
			copy(grown, p.message.payload)
			p.message.payload = grown
		}
		n, err := io.ReadFull(r, p.message.payload[at:])
		p.have += n
		if err != nil {
			return message{}, p.readError(err)
		}
	}
	m := p.message
	p.have, p.message = 0, message{}
	return m, nil
}

// readHeader checks the header and takes memory for the payload.
func (p *messageReader) readHeader() error {
	m := message{code: code(p.header[0]), channel: int32(binary.BigEndian.Uint32(p.header[1:]))}
	n := int32(binary.BigEndian.Uint32(p.header[5:]))
	if m.code < 0 || int(m.code) >= len(codeNames) {
		return &protocolError{fmt.Sprintf("unknown message code %d in header % x", int8(m.code), p.header[:])}
	}
	if n < 0 {
		return &protocolError{fmt.Sprintf("negative payload length in header % x", p.header[:])}
	}
	p.length = int(n)
	m.payload = make([]byte, min(p.length, payloadChunk))
	p.message = m
	return nil
}

// readError is the error of a frame whose Read has returned err: errCutOff if the stream ended
// within the frame, else err.
func (p *messageReader) readError(err error) error {
	// An io.ErrUnexpectedEOF that another error wraps has a cause of its own, such as the death of
	// the gateway that the bytes come through.
	if err == io.ErrUnexpectedEOF || p.have > 0 && errors.Is(err, io.EOF) {
		return errCutOff
	}
	return err
}
