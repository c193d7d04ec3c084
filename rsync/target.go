package rsync

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

// target is one destination of a Send. What stands below the mutex's mention belongs to its
// session.
type target struct {
	gw        *gatewaybase.Gateway
	channel   *gatewaybase.Channel
	dest      string
	options   TargetOptions
	reference bool // the far end runs Python's execnet
	delta     bool
	near      bool // the far end is likely to see the files of this process

	ctx    context.Context // ends with the target
	cancel context.CancelFunc
	batch  contentBatch // of the goroutine that sends contents

	// The session's mutex guards what follows.
	wake       sync.Cond // for the goroutine that sends: queue or ended changed
	queue      []*item
	queued     int  // bytes in queue, and in the item being sent
	copies     bool // it copies large files by itself if it sees them
	asked      int  // tree items handed to queue
	answers    [][]want
	wanted     int64  // sum of the sizes of the files wanted
	listed     bool   // EventList has been given
	contents   uint64 // bytes of content items handed to queue, and of files to be copied
	acked      uint64
	arriving   []arrival // files and pieces on their way
	done       int64     // bytes of the files wanted that have been dealt with
	partly     int64     // the same of the file that is coming in pieces
	progress   int64     // as last told
	digests    map[uint32]*remoteDigest
	digesting  int // digests that are to come
	signing    map[uint32]*signing
	unsigned   int              // files whose signatures are to come
	signBytes  int64            // what the signatures asked for and not used up take
	repeatable map[uint32]int64 // files sent in a way that may fail, so that they are to be sent whole; what was sent
	again      []uint32
	finishing  bool // F was handed to queue
	finished   bool // z has come
	ended      bool // nothing more is received or sent
	err        error
	lively     time.Time // when it last showed a sign of life, or owed nothing
	sent       int64     // what its gateway had sent when that was last looked at
	stats      Stats
	files      []FileError
	failed     map[uint32]struct{}
	warnings   []FileError
}

// want is a receiver's answer for one file.
type want struct {
	entry uint32
	what  byte
	size  int64 // of the file there
}

// arrival is a file, or a piece of one, that has arrived when so many bytes of contents are
// acknowledged.
type arrival struct {
	at     uint64
	entry  uint32 // noEntry for a piece
	size   int64  // what was sent
	copied int64  // or is copied there
	writes bool   // a file is written
}

type remoteDigest struct {
	come  bool
	bytes [digestSize]byte
}

// signing is a file's signatures on their way.
type signing struct {
	size   int64
	blocks []signature
	done   bool
}

// start has the far end run the receiving half.
func (t *target) start(dryRun bool) error {
	var err error
	if t.reference {
		t.channel, err = t.gw.RemoteExec(context.Background(), referenceProgram)
	} else {
		t.channel, err = execRemote(t.gw)
	}
	if err == nil {
		err = t.channel.Reconfigure(context.Background(), gatewaybase.StrConfig{})
	}
	if err == nil {
		err = t.channel.Send(context.Background(), t.hello(dryRun))
	}
	if err != nil {
		if t.channel != nil {
			t.channel.Close()
		}
		return fmt.Errorf("execnet: rsync to %s of gateway %s: %w", printable(t.dest), t.gw.ID(), err)
	}
	return nil
}

func (t *target) hello(dryRun bool) any {
	if t.reference {
		return serializer.Tuple{t.dest, serializer.NewDict("delete", t.options.Delete)}
	}
	flags := uint32(0)
	if t.options.Delete {
		flags |= helloDelete
	}
	if dryRun {
		flags |= helloDryRun
	}
	if t.delta || t.near { // to copy a large file is quicker than to compare it
		flags |= helloDelta
	}
	hello := binary.BigEndian.AppendUint16([]byte{itemHello}, protocolVersion)
	return append(binary.BigEndian.AppendUint32(hello, flags), t.dest...)
}

func (t *target) event(kind EventKind, path string, size int64) Event {
	return Event{Kind: kind, Gateway: t.gw, Channel: t.channel, Dest: t.dest, Path: path, Size: size}
}

// fail ends the target; the first reason counts. The caller holds the session's mutex.
func (t *target) fail(err error) {
	if t.ended {
		return
	}
	t.ended = true
	t.err = err
	t.queue = nil
	t.cancel()
	t.wake.Signal()
}

// owes reports whether a sign of life is due. The caller holds the session's mutex.
func (t *target) owes() bool {
	return t.queued > 0 || t.asked > len(t.answers) || t.contents-t.acked >= ackEvery || t.digesting > 0 ||
		t.unsigned > 0 || t.finishing
}

// drains reports whether the far end has taken bytes since this was last asked: a large item may be
// long on its way. The caller holds the session's mutex.
func (t *target) drains() bool {
	before := t.sent
	t.sent = t.gw.BytesSent()
	return t.sent > before
}

// count counts files that were written, and what was sent for them, until the target itself tells.
// The caller holds the session's mutex.
func (t *target) count(files, sent int64) {
	t.stats.Files += files
	t.stats.Literal += sent
}

func (t *target) result(report *reporter) Result {
	r := Result{Gateway: t.gw, Dest: t.dest, Stats: t.stats, Warnings: append(report.sourceWarnings(), t.warnings...)}
	if t.err != nil || len(t.files) > 0 {
		r.Err = &TargetError{Gateway: t.gw.ID(), Dest: t.dest, Err: t.err, Files: t.files}
	}
	return r
}
