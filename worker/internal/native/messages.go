package native

import (
	"encoding/binary"
	"io"
	"slices"
)

// messageReader cuts a stream between messages (protocol.md section 2), as execnet's forwarder
// does. Its driver puts items together by copying all it has for each one that comes, so that a
// large message has to be one item; of small ones, what has come together stays together.
type messageReader struct {
	from io.Reader
	held []byte // what was read and not handed out
	used int    // how much of held was handed out by the last call
	rest uint64 // how much is to come of a message of which a piece was handed out
}

const (
	headerSize = 9
	lengthAt   = 5
	// smallRead is how much is read when no large message is under way.
	smallRead = 16 << 10
	// largestPiece is what a message larger than that is cut into. Memory is taken as bytes come,
	// not as a length is told.
	largestPiece = 32 << 20
)

// next returns whole messages, or a piece of a very large one. It is valid until the following
// call. The error is the reader's; a message that it cuts short is not handed out.
func (r *messageReader) next() ([]byte, error) {
	left := r.held[r.used:]
	if cap(r.held) > 2*smallRead && r.used < cap(r.held)/8 {
		r.held = nil // the time of large messages is over
	}
	r.held = append(r.held[:0], left...)
	r.used = 0
	for {
		if r.used = r.whole(); r.used > 0 {
			return r.held[:r.used], nil
		}
		if cap(r.held)-len(r.held) < smallRead {
			r.held = slices.Grow(r.held, max(smallRead, len(r.held)))
		}
		n, err := r.from.Read(r.held[len(r.held):min(cap(r.held), largestPiece+smallRead)])
		r.held = r.held[:len(r.held)+n]
		if n == 0 && err != nil {
			return nil, err
		}
	}
}

// whole is where the last message ends that has come completely. A piece of a message that is too
// large for memory counts as well.
func (r *messageReader) whole() int {
	held := uint64(len(r.held))
	end := r.rest
	for end+headerSize <= held {
		size := headerSize + uint64(binary.BigEndian.Uint32(r.held[end+lengthAt:]))
		if end+size > held {
			if end == 0 && held >= largestPiece {
				r.rest = size - held
				return len(r.held)
			}
			break
		}
		end += size
	}
	if end > held { // within the rest of a large message
		if held < largestPiece {
			return 0
		}
		r.rest -= held
		return len(r.held)
	}
	r.rest = 0
	return int(end)
}
