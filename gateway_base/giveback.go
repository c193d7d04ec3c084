package gatewaybase

import "github.com/go-execnet/execnet/internal/uncleared"

// GiveBack says that the program no longer needs a bytes item, so that what comes next, on any
// channel, can be read into its memory. A program that receives many large items gains much by it:
// each item that is kept takes new memory, which costs more than to move its bytes, most of that
// the work of the garbage collector.
//
//	for item, err := range execnet.Items[[]byte](ctx, ch) {
//		...
//		use(item)
//		execnet.GiveBack(item)
//	}
//
// Nothing may use the item's memory afterwards, up to its capacity, and it must not be given back
// twice: as with a slice that was given to append. Send has no use for its item any more when it
// has returned. Whatever is received as bytes can be given back, also in a callback, in a tuple, as
// the result of a call or as an argument of a Go function; so can memory that the program has made.
// Below 64 KiB nothing happens, since small memory costs little. What is not used again is left to
// the garbage collector after a while.
//
// A channel's [FileReader] gives back what it has read. execnet has no such call.
func GiveBack(item []byte) { uncleared.GiveBack(item) }
