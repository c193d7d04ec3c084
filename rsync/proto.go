package rsync

import (
	"encoding/binary"
	"fmt"
	"math"
)

// What the two halves of this module say to each other: docs/protocol.md section 11.5, which this
// file follows. Every item is one byte string: its kind, then fields, big-endian.

// RemoteFile and RemoteFunction are the file and function name with which a driver executes the
// receiving half. A worker that is no Python knows it by them.
const (
	RemoteFile     = "execnet/rsync/remote.py"
	RemoteFunction = "serve"
)

const protocolVersion = 1

// Kinds of items: capitals from the driver, small letters from the receiver.
const (
	itemHello    = 'V'
	itemTree     = 'T'
	itemSign     = 'S'
	itemContents = 'C'
	itemFinish   = 'F'

	itemWelcome    = 'v'
	itemWants      = 'w'
	itemDigests    = 'h'
	itemSignatures = 's'
	itemAgain      = 'g'
	itemAck        = 'a'
	itemDeleted    = 'd'
	itemError      = 'e'
	itemEnd        = 'z'
)

// Flags of the hello.
const (
	helloDelete = 1 << iota
	helloDryRun
	helloDelta

	helloKnown = helloDelete | helloDryRun | helloDelta
)

// welcomeHere is the flag of a receiver that knows opHere.
const welcomeHere = 1

// Flags of a tree block.
const (
	blockLast       = 1 << iota // no more members of this directory follow
	blockIncomplete             // not all members could be read: delete nothing
)

// Kinds of entries.
const (
	kindDir      = 'd'
	kindFile     = 'f'
	kindLink     = 'l'
	kindLinkBase = 'b' // its target is a path below the source's root
	kindOther    = 'o' // announced so that it is not deleted
)

// What a receiver wants of a file.
const (
	wantContent = 1 + iota // nothing useful is there
	wantDiffers            // a file is there; its signatures can be asked for
	wantCheck              // a file of the same size is there; its digest follows
)

// Operations of a content record.
const (
	opWhole   = iota // the whole file
	opData           // the next bytes
	opCopy           // the next bytes are blocks of the old file
	opEnd            // complete
	opChanged        // complete as far as it goes: the file changed while it was read
	opSame           // the content there is right
	opGone           // vanished or unreadable
	opHere           // it is on the receiver's machine: it copies it by itself
)

// Severities of an error item.
const (
	severityWarning = iota // done but for something lesser
	severityEntry          // this entry failed, the rest goes on
	severityFatal          // the sync ends
)

// Limits and sizes both halves keep.
const (
	noEntry       = math.MaxUint32 // for "no entry", and the directory of the root's block
	maxItem       = 2 << 20        // no item is longer
	maxName       = 4096
	treeItemSize  = 32 << 10  // a tree item is sent when it is that long
	maxUnanswered = 16        // tree items on their way
	batchSize     = 256 << 10 // about the length of a content item; longer files travel in pieces
	pieceSize     = 1 << 20   // of those: each item costs both ends a turn
	window        = 8 << 20   // bytes of contents on their way
	ackEvery      = 512 << 10 // a receiver tells at the latest after that many
	deltaFrom     = 64 << 10  // smaller files travel whole
	hereFrom      = 1 << 20   // smaller files travel even to a receiver on this machine
	herePiece     = 8 << 20   // after that many bytes of a copy it tells how far it is
	digestSize    = 32
)

// Sizes of fixed parts.
const (
	blockHeadSize = 4 + 1 + 4 + 4 + 4
	entrySize     = 1 + 4 + 8 + 8
	wantSize      = 4 + 1 + 8
	digestRecord  = 4 + digestSize
	contentHead   = 1 + 4
	contentRecord = 4 + 1 + 4
	identitySize  = 5 * 8
	statistics    = 8 // numbers in the last item
)

// ProtocolError is what either half ends with when the other one breaks the rules of
// docs/protocol.md section 11.5. Nothing was done for the item at fault.
type ProtocolError struct{ Problem string }

// Error tells what was wrong.
func (e *ProtocolError) Error() string { return "execnet: rsync: the other end: " + e.Problem }

func broken(format string, args ...any) error {
	return &ProtocolError{fmt.Sprintf(format, args...)}
}

// fields takes an item apart. The first read beyond its end makes bad true and gives zeros from
// then on.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) take(n int) []byte {
	if f.bad || n < 0 || n > len(f.rest) {
		f.bad = true
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) u8() uint8 {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) u16() uint16 {
	if b := f.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (f *fields) u32() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// end reports an error unless the item was exactly as long as what was read of it.
func (f *fields) end(what string) error {
	if f.bad || len(f.rest) > 0 {
		return broken("%s of a wrong length", what)
	}
	return nil
}
