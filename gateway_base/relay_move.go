package gatewaybase

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
)

// leastMoved is the size from which on it is worth it to have the system move an item.
const leastMoved = 128 << 10

// movePatience is how long an item that could be moved waits for what is written before it, and
// how long the relay's worker may take nothing of it. That worker reads at all times, unless a
// program keeps it from that.
const movePatience = 2 * time.Millisecond

// move passes a large item of the driver on without copying it, if the next message is one and the
// system can do that. It is called between two messages. It takes all of the item first, so that
// nothing is passed on of one in which the stream ends. If it cannot, it leaves what it has read to
// partial, which reads on from there.
func (r *reader) move(relay *Relay) (moved bool, err error) {
	head, err := r.in.Peek(headerSize)
	switch {
	case errors.Is(err, farend.ErrReadInterrupted):
		return false, err
	case err != nil || code(head[0]) != codeData || r.gateway.tracer != nil:
		return false, nil
	}
	length := headerSize + int(int32(binary.BigEndian.Uint32(head[5:])))
	if length < leastMoved || length-r.in.Buffered() > pipe.MostMoved || r.gateway.relayFor(int32(binary.BigEndian.Uint32(head[1:]))) != relay {
		return false, nil
	}
	from, ok1 := r.gateway.io.(farend.FileReader)
	to, ok2 := relay.io.(farend.FileWriter)
	if !ok1 || !ok2 || from.ReadFile() == nil || to.WriteFile() == nil || !relay.out.waitUntilIdle(movePatience) {
		return false, nil
	}
	if head, err = r.in.Peek(headerSize + stringHead); err != nil || !beginsString(head[headerSize:], length-headerSize) {
		return false, nil
	}
	p := &r.partial
	have := min(length, r.in.Buffered())
	if _, err := io.ReadFull(r.in, p.header[:]); err != nil {
		return false, err // it cannot happen: that much is buffered
	}
	if err := p.readHeader(); err != nil {
		return false, err
	}
	p.have = headerSize
	if len(p.frame) < length {
		return false, nil // nothing as large has come before
	}
	n, err := io.ReadFull(r.in, p.frame[headerSize:have])
	p.have += n
	passage := pipe.NewPassage()
	if err != nil || passage == nil {
		return false, nil
	}
	defer passage.Close()
	if passage.Fill(from.ReadFile(), length-have) && relay.takeMoved(message{codeData, int32(binary.BigEndian.Uint32(p.frame[1:])), p.frame[headerSize:], p.frame}, have, passage) {
		p.have, p.frame = 0, nil
		r.messages.Add(1)
		r.bytes.Add(int64(length))
		return true, nil
	}
	n = passage.Held()
	passage.Take(p.frame[have:])
	p.have += n
	return false, nil
}

// stringHead is what stands in front of a serialized string: opcode and length.
const stringHead = 5

// beginsString reports whether a payload of so many bytes that begins with head is nothing but a
// bytes or str value, in which no channels can be.
func beginsString(head []byte, length int) bool {
	switch head[0] {
	case 'A', 'M', 'N', 'S':
		return int(binary.BigEndian.Uint32(head[1:])) == length-stringHead-1
	}
	return false
}

// takeMoved is forward for an item that names no channels and of which a passage holds all but the
// first head bytes. It reports false if the relay takes nothing any more.
func (r *Relay) takeMoved(m message, head int, p *pipe.Passage) bool {
	file := r.io.(farend.FileWriter).WriteFile()
	r.mu.Lock()
	ended := r.ended || m.channel >= relayIDs && m.channel < r.first
	r.mu.Unlock() // it takes a while, and what comes back meanwhile shall not wait
	if file == nil || ended {
		return false
	}
	// An error means that the far end is gone, which run reports.
	_ = r.out.postMoved(m.pass(), head, p, file)
	return true
}
