package native

import (
	"encoding/binary"
	"io"
	"slices"
)

// messageReader cuts a stream between messages (protocol.md section 2), as execnet's forwarder
// does. execnet's driver joins items by copying all it has for each one that comes, so a large
// message has to be one item; small messages that have arrived together stay together.
type messageReader struct {
	from io.Reader
	held []byte // what was read and not returned
	used int    // how much of held the last call returned
	rest uint64 // how much is to come of a message of which a piece was returned
}

const (
	headerSize = 9
	lengthAt   = 5
	// smallRead is how much is read when no large message is under way.
	smallRead = 16 << 10
	// largestPiece is the size of the pieces into which a larger message is cut. Memory is
	// allocated as bytes arrive, not by the length in the header.
	largestPiece = 32 << 20
)

// next returns whole messages, or a piece of a very large one. The bytes are valid until the next
// call. The error is the reader's; a message that the error cuts short is not returned.
func (r *messageReader) next() ([]byte, error) {
	left := r.held[r.used:]
	if cap(r.held) > 2*smallRead && r.used < cap(r.held)/8 {
		r.held = nil // no large message is under way: free the memory
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

// whole returns where the last complete message ends in held. A piece of a message that is larger
// than largestPiece counts as complete.
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
