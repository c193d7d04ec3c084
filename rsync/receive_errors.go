package rsync

import (
	"fmt"

	"github.com/go-execnet/execnet/serializer"
)

// UnexpectedItemError is what a receiver ends with when an item is not what the protocol has at that point (protocol.md
// section 11).
type UnexpectedItemError struct {
	Wanted string // what should have come
	Item   any    // what came
}

// Error shows the beginning of the item.
func (e *UnexpectedItemError) Error() string {
	item := serializer.Repr(e.Item)
	if b, ok := e.Item.([]byte); ok {
		item = fmt.Sprintf("%d bytes", len(b))
	} else if r := []rune(item); len(r) > 200 {
		item = string(r[:200]) + "..."
	}
	return fmt.Sprintf("execnet: rsync: the sender should have sent %s, but sent %s", e.Wanted, item)
}
