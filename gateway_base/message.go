package gatewaybase

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-execnet/execnet/internal/uncleared"
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

// payloadChunk is how much memory is taken because a header says so, and knownChunk if a frame as
// large has come before. More is taken as bytes arrive.
const (
	payloadChunk = 4 << 20
	knownChunk   = 64 << 20
)

// message is one frame of the wire.
type message struct {
	code    code
	channel int32
	payload []byte
	frame   []byte // of a message that was read: the header and the payload, in one piece
}

// pass is the message to be written as it was read. Nobody may use it afterwards.
func (m message) pass() *frame { return &frame{bytes: m.frame, passed: true} }

func (m message) String() string {
	return fmt.Sprintf("<Message %s channel=%d lendata=%d>", m.code, m.channel, len(m.payload))
}

// putHeader fills the headerSize bytes that frame begins with. n is the length of the payload.
func putHeader(frame []byte, n int, c code, channel int32) error {
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
	have    int    // bytes of header and payload that have come
	frame   []byte // once the header has come
	length  int    // of the whole frame
	largest int    // the length of the largest frame so far, up to knownChunk
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
	for p.have < p.length {
		if p.have == len(p.frame) {
			grown := uncleared.Bytes(min(p.length, 2*p.have))
			copy(grown, p.frame)
			p.frame = grown
		}
		n, err := io.ReadFull(r, p.frame[p.have:])
		p.have += n
		if err != nil {
			return message{}, p.readError(err)
		}
	}
	m := message{code(p.frame[0]), int32(binary.BigEndian.Uint32(p.frame[1:])), p.frame[headerSize:], p.frame}
	p.largest = max(p.largest, min(p.length, knownChunk))
	p.have, p.frame = 0, nil
	return m, nil
}

// readHeader checks the header and takes memory for the frame or, if that is long, for its
// beginning.
func (p *messageReader) readHeader() error {
	if c := int8(p.header[0]); c < 0 || int(c) >= len(codeNames) {
		return &protocolError{fmt.Sprintf("unknown message code %d in header % x", c, p.header[:])}
	}
	n := int32(binary.BigEndian.Uint32(p.header[5:]))
	if n < 0 {
		return &protocolError{fmt.Sprintf("negative payload length in header % x", p.header[:])}
	}
	p.length = headerSize + int(n)
	p.frame = uncleared.Bytes(min(p.length, max(p.largest, headerSize+payloadChunk)))
	copy(p.frame, p.header[:])
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
