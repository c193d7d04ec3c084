// Package wire has what the two halves of this module's rsync protocol must agree on: the kinds of
// items, their fields, and the sizes and limits. It follows [protocol.md section 11.5]. Every item
// is one byte string: a byte for its kind, then its fields. Numbers are big-endian.
//
// The sending half is package rsync; the receiving halves are package receive and rsync/remote/.
//
// [protocol.md section 11.5]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#115-this-modules-halves
package wire

import (
	"encoding/binary"
	"math"
	"time"
)

// RemoteFile and RemoteFunction are the file and the function name with which a driver executes the
// receiving half. A worker that is not Python recognises the program by them.
const (
	RemoteFile     = "execnet/rsync/remote.py"
	RemoteFunction = "serve"
)

// ProtocolVersion is the version that both halves name in their first item.
const ProtocolVersion = 1

// The kinds of items. Capitals come from the driver, small letters from the receiver.
const (
	ItemHello    = 'V'
	ItemTree     = 'T'
	ItemSign     = 'S'
	ItemContents = 'C'
	ItemFinish   = 'F'

	ItemWelcome    = 'v'
	ItemWants      = 'w'
	ItemDigests    = 'h'
	ItemSignatures = 's'
	ItemAgain      = 'g'
	ItemAck        = 'a'
	ItemDeleted    = 'd'
	ItemError      = 'e'
	ItemEnd        = 'z'
)

// Flags of a hello item.
const (
	HelloDelete = 1 << iota
	HelloDryRun
	HelloDelta

	HelloKnown = HelloDelete | HelloDryRun | HelloDelta
)

// WelcomeHere is the flag in the welcome item of a receiver that implements OpHere.
const WelcomeHere = 1

// Flags of a block of a tree item.
const (
	BlockLast       = 1 << iota // no more members of this directory follow
	BlockIncomplete             // not all members could be read: delete nothing
)

// Kinds of entries.
const (
	KindDir      = 'd'
	KindFile     = 'f'
	KindLink     = 'l'
	KindLinkBase = 'b' // its target is a path below the source's root
	KindOther    = 'o' // not sent, but announced so that it is not deleted
)

// What a receiver wants of a file.
const (
	WantContent = 1 + iota // nothing useful is there
	WantDiffers            // a file is there; its signatures can be asked for
	WantCheck              // a file of the same size is there; its digest follows
)

// Operations of a content record.
const (
	OpWhole   = iota // the data is the whole file
	OpData           // the data is the next part of the file
	OpCopy           // the next part is the same as these blocks of the old file
	OpEnd            // the file is complete
	OpChanged        // complete as far as it goes: the file changed while it was read
	OpSame           // the content that the receiver has is right
	OpGone           // the file vanished or cannot be read
	OpHere           // the file is on the receiver's machine: the receiver copies it by itself
)

// Severities of an error item.
const (
	SeverityWarning = iota // the entry is there, but something about it could not be done
	SeverityEntry          // this entry failed, the rest goes on
	SeverityFatal          // the sync ends
)

// Limits and sizes that both halves keep.
const (
	NoEntry       = math.MaxUint32 // no entry, and the directory of the root's block
	MaxItem       = 2 << 20        // no item is longer
	MaxName       = 4096           // bytes of a name
	TreeItemSize  = 32 << 10       // a tree item is sent when it is that long
	MaxUnanswered = 16             // tree items on their way
	BatchSize     = 256 << 10      // about a content item; longer files travel in pieces
	PieceSize     = 1 << 20        // bytes of a piece, as each item costs both ends time
	Window        = 8 << 20        // bytes of contents on their way
	AckEvery      = 512 << 10      // a receiver acknowledges at the latest after that many bytes
	DeltaFrom     = 64 << 10       // smaller files travel whole
	HereFrom      = 1 << 20        // smaller files travel even to a receiver on this machine
	HerePiece     = 8 << 20        // after that many bytes of a copy the receiver acknowledges
	DigestSize    = 32             // SHA-256
)

// Sizes of the parts of fixed length.
const (
	BlockHeadSize = 4 + 1 + 4 + 4 + 4
	EntrySize     = 1 + 4 + 8 + 8
	WantSize      = 4 + 1 + 8
	ContentHead   = 1 + 4
	ContentRecord = 4 + 1 + 4
)

// The numbers in the end item, in their order.
const (
	StatWritten = iota
	StatTouched
	StatDirs
	StatLinks
	StatDeleted
	StatFailed
	StatReceived
	StatCopied

	Statistics // how many there are
)

// EntryItem returns an item that consists of an entry's number.
func EntryItem(kind byte, entry uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, entry)
}

// PutRecord writes the head of a content record with n bytes of data.
func PutRecord(to []byte, entry uint32, op byte, n int) {
	binary.BigEndian.PutUint32(to, entry)
	to[4] = op
	binary.BigEndian.PutUint32(to[5:], uint32(n))
}

// Nanoseconds is a time as it travels: the nanoseconds since 1970. Times that 64 bits cannot hold,
// before 1678 and after 2262, become the first or the last that they can.
func Nanoseconds(t time.Time) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	switch seconds := t.Unix(); {
	case seconds >= most:
		return math.MaxInt64
	case seconds <= -most:
		return math.MinInt64
	}
	return t.UnixNano()
}

// FloatTime is a time as Python's st_mtime has it, which keeps less than the nanoseconds: so it
// travels in the protocol of Python's execnet, whose halves compare such times.
func FloatTime(t time.Time) float64 {
	// The conversion keeps the compiler from fusing the operations, which would round once instead
	// of twice.
	return float64(t.Unix()) + float64(1e-9*float64(t.Nanosecond()))
}
