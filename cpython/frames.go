package cpython

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"github.com/go-execnet/execnet/internal/uncleared"
	"github.com/go-execnet/execnet/serializer"
)

// The codes of the frames that belong to calls, as gofunctions/ has them (protocol.md section
// 7.11). A frame is laid out as a message is, with the number of the call in place of a channel.
const (
	codeCall      = iota // Python calls: the payload is (function, channel or 0, args, kwargs)
	codeReceive          // Go asks the calling thread to receive on a channel
	codeWaitClose        // Go asks it to wait for the channel's close
	codeItem             // the item; or, from Go, (channel, item): take it back
	codeEnded            // there is no item: the channel has ended
	codeError            // there is none for this reason; or, from Go, what the function raises
	codeResult           // what the function returns
	codeCancel           // Go wants no item any more; Python confirms
	codeAbandon          // nobody waits for the call any more
	codeWake             // Python has a read that has to return; Go sends it back
	codeBroken           // Go: no call can be made any more; the payload is a text that says why
)

// byPython are the codes of the frames that Python sends.
var byPython = [...]bool{codeCall: true, codeItem: true, codeEnded: true, codeError: true, codeCancel: true, codeAbandon: true, codeWake: true}

// frameError says what is wrong with what has come where a frame should be.
type frameError struct{ problem string }

func (e *frameError) Error() string { return "execnet: it is no frame of a call: " + e.problem }

const (
	headerSize = 9
	// maxChunk is how much memory is taken because a header says so. More is taken as bytes come.
	maxChunk = 4 << 20
	// large is from where on bytes are written from where they are, and not copied into a frame.
	large = 64 << 10
)

// frame is one frame that was read.
type frame struct {
	code    byte
	number  int32
	payload []byte
}

// parseFrame splits a frame that has come in one piece.
func parseFrame(b []byte) (frame, error) {
	if len(b) < headerSize {
		return frame{}, &frameError{fmt.Sprintf("it has %d bytes", len(b))}
	}
	f := frame{b[0], int32(binary.BigEndian.Uint32(b[1:])), b[headerSize:]}
	if n := binary.BigEndian.Uint32(b[5:]); int64(n) != int64(len(f.payload)) {
		return frame{}, &frameError{fmt.Sprintf("it promises %d bytes and has %d", n, len(f.payload))}
	}
	return f, nil
}

// readFrame reads a frame. It returns a *frameError if something else comes, and another error if
// nothing can come any more.
func readFrame(in *bufio.Reader) (frame, error) {
	header, err := in.Peek(headerSize)
	if err != nil {
		if err == io.EOF && len(header) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	f := frame{code: header[0], number: int32(binary.BigEndian.Uint32(header[1:]))}
	length := int(int32(binary.BigEndian.Uint32(header[5:])))
	_, _ = in.Discard(headerSize)
	if length < 0 {
		return frame{}, &frameError{fmt.Sprintf("its length is %d", length)}
	}
	f.payload = uncleared.Bytes(min(length, maxChunk))
	for have := 0; have < length; {
		if have == len(f.payload) {
			grown := uncleared.Bytes(min(length, 2*have))
			copy(grown, f.payload)
			f.payload = grown
		}
		n, err := io.ReadFull(in, f.payload[have:])
		have += n
		if err != nil {
			return frame{}, err
		}
	}
	return f, nil
}

// frameWriter writes frames whole, from any goroutine.
type frameWriter struct {
	mu  sync.Mutex // held during the writes of a frame
	out *os.File
}

// buffers have room for small frames.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled is the largest buffer that is kept for the next frame.
const maxPooled = 256 << 10

// send writes a frame with a value. It returns the error of a value that cannot be serialized; the
// value is then not sent. A write fails only if the interpreter is gone, and then everything that
// waits for it ends.
func (w *frameWriter) send(codec *serializer.Codec, code byte, number int32, v any) error {
	if b, ok := v.([]byte); ok && len(b) > large && len(b) <= math.MaxInt32-6 {
		head := putHeader(make([]byte, headerSize, headerSize+5), code, number, len(b)+6)
		w.write(binary.BigEndian.AppendUint32(append(head, 'A'), uint32(len(b))), b, []byte{'Q'})
		return nil
	}
	buffer := buffers.Get().(*[]byte)
	f, err := codec.Append(append((*buffer)[:0], make([]byte, headerSize)...), v)
	if err == nil && len(f)-headerSize > math.MaxInt32 {
		err = fmt.Errorf("execnet: a value that takes %d bytes is too large to be sent", len(f)-headerSize)
	}
	if err == nil {
		w.write(putHeader(f, code, number, len(f)-headerSize))
	}
	if cap(f) <= maxPooled {
		*buffer = f
		buffers.Put(buffer)
	}
	return err
}

// sendBytes writes a frame with a payload that is serialized already, or none.
func (w *frameWriter) sendBytes(code byte, number int32, payload []byte) {
	f := putHeader(make([]byte, headerSize, headerSize+len(payload)), code, number, len(payload))
	w.write(append(f, payload...))
}

func (w *frameWriter) write(parts ...[]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, part := range parts {
		if _, err := w.out.Write(part); err != nil {
			return
		}
	}
}

// putHeader fills the first headerSize bytes of f.
func putHeader(f []byte, code byte, number int32, length int) []byte {
	f[0] = code
	binary.BigEndian.PutUint32(f[1:], uint32(number))
	binary.BigEndian.PutUint32(f[5:], uint32(length))
	return f
}
