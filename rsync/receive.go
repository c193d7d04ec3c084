package rsync

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// Receive is the receiving half of this module's own protocol (protocol.md section 11.5) for a Go
// worker: what it runs when a driver has it execute RemoteFunction of RemoteFile. It returns when
// the sync has ended; the caller then ends the execution. What goes wrong with the sync is told to
// the driver, and nil returned: an entry that cannot be written, a full disk, names that lead out
// of the destination, items that are not the protocol. An error means that the driver could not be
// told, because the channel or ctx has ended.
//
// Nothing outside the destination is touched whatever the driver sends, files are written under a
// temporary name and renamed, and memory does not grow with the size of files.
func Receive(ctx context.Context, ch *gatewaybase.Channel) error {
	r := &receiver{
		ctx: ctx, ch: ch,
		unfinished: map[uint32]*folder{}, wanted: map[uint32]*wanted{},
		failed: map[uint32]struct{}{}, again: map[uint32]struct{}{},
	}
	defer r.close()
	err := r.run()
	if gone := (*channelError)(nil); err == nil || errors.As(err, &gone) {
		return err
	}
	r.heart.stop()
	path := ""
	if in := (*entryError)(nil); errors.As(err, &in) {
		path = in.path
	}
	return r.tell(severityFatal, noEntry, path, reason(err))
}

// receiver is the state of one sync.
type receiver struct {
	ctx  context.Context
	ch   *gatewaybase.Channel
	tree *tree

	delete, dryRun, delta bool

	entries    uint32 // announced so far
	folders    []*folder
	unfinished map[uint32]*folder // whose last block has not come
	links      []announcedLink
	wanted     map[uint32]*wanted  // asked for and not finished
	failed     map[uint32]struct{} // asked for, given up here, not finished by the driver
	again      map[uint32]struct{} // asked for once more
	part       *incoming           // the file that is coming in pieces, if one is
	removed    []byte              // paths to be told as deleted, each followed by NUL
	finishing  bool

	dealt uint64        // bytes of contents
	told  atomic.Uint64 // as last told
	heart heartbeat
	stats [statistics]uint64
	buf   []byte // for copying
}

// The numbers of the last item.
const (
	statWritten = iota
	statTouched
	statDirs
	statLinks
	statDeleted
	statFailed
	statReceived
	statCopied
)

// folder is a directory that was announced.
type folder struct {
	place
	number     uint32
	mode       uint32
	mtime      int64
	announced  map[string]struct{} // until its last block
	incomplete bool                // its sender could not read all of it
	isNew      bool
	lost       bool // it is not there: this is a dry run, or it could not be made
}

// channelError is what the channel reported.
type channelError struct{ error }

func (e *channelError) Unwrap() error { return e.error }

// entryError ends the sync at an entry.
type entryError struct {
	path string // relative to the destination
	error
}

func (e *entryError) Unwrap() error { return e.error }

func (r *receiver) close() {
	r.heart.stop()
	r.discard()
	if r.tree != nil {
		r.tree.close()
	}
}

func (r *receiver) run() error {
	item, err := r.item()
	if err != nil {
		return err
	}
	if err := r.hello(item); err != nil {
		return err
	}
	for !r.finishing || len(r.again) > 0 {
		item, err := r.item()
		if err != nil {
			return err
		}
		f := &fields{rest: item[1:]}
		switch kind := item[0]; {
		case kind == itemContents:
			err = r.contents(f, len(item))
		case r.finishing:
			err = broken("an item of kind %q after the end", kind)
		case kind == itemTree:
			err = r.treeItem(f)
		case kind == itemSign:
			err = r.sign(f)
		case kind == itemFinish:
			err = r.startFinish(f)
		default:
			err = broken("an item of unknown kind %q", kind)
		}
		if err != nil {
			return err
		}
	}
	return r.finish()
}

// item is the next item, of at least one byte.
func (r *receiver) item() ([]byte, error) {
	v, err := r.ch.Receive(r.ctx)
	if err != nil {
		return nil, &channelError{err}
	}
	item, ok := v.([]byte)
	if !ok || len(item) == 0 || len(item) > maxItem {
		return nil, broken("an item that is no byte string of at most %d bytes", maxItem)
	}
	return item, nil
}

func (r *receiver) send(item []byte) error {
	if err := r.ch.Send(r.ctx, item); err != nil {
		return &channelError{err}
	}
	return nil
}

func (r *receiver) tell(severity byte, entry uint32, path, text string) error {
	item := binary.BigEndian.AppendUint32([]byte{itemError, severity}, entry)
	item = append(append(append(item, path...), 0), text...)
	return r.send(item)
}

// trouble tells that something went wrong with an entry. It returns an error when that ends the
// sync.
func (r *receiver) trouble(severity byte, entry uint32, path string, err error) error {
	if gone := (*channelError)(nil); errors.As(err, &gone) {
		return err
	}
	if wrong := (*ProtocolError)(nil); errors.As(err, &wrong) {
		return err
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) && isFull(errno) {
		return &entryError{path, err}
	}
	if severity == severityEntry {
		r.stats[statFailed]++
	}
	return r.tell(severity, entry, path, reason(err))
}

// reason is what people are told of an error whose path is told beside it.
func reason(err error) string {
	if wrong := (*ProtocolError)(nil); errors.As(err, &wrong) {
		return "what came is not the protocol: " + wrong.Problem
	}
	errno := syscall.Errno(0)
	if !errors.As(err, &errno) {
		return strings.TrimPrefix(err.Error(), "execnet: rsync: ")
	}
	if name := errnoName(errno); name != "" {
		return name + ": " + errno.Error()
	}
	return errno.Error()
}

func (r *receiver) hello(item []byte) error {
	f := &fields{rest: item[1:]}
	version, flags := f.u16(), f.u32()
	if item[0] != itemHello || f.bad {
		return broken("no hello")
	}
	if version != protocolVersion || flags&^helloKnown != 0 {
		return broken("only version %d with the flags %#x is known here, not version %d with flags %#x",
			protocolVersion, helloKnown, version, flags)
	}
	r.delete, r.dryRun, r.delta = flags&helloDelete != 0, flags&helloDryRun != 0, flags&helloDelta != 0
	if strings.IndexByte(string(f.rest), 0) >= 0 {
		return broken("a destination with a NUL")
	}
	var err error
	if r.tree, err = newTree(string(f.rest)); err != nil {
		return err
	}
	if !r.dryRun {
		if err := os.MkdirAll(filepath.Dir(r.tree.path), fs.ModePerm); err != nil {
			return fmt.Errorf("%s (making the folder above the destination)", reason(err))
		}
	}
	welcome := binary.BigEndian.AppendUint16([]byte{itemWelcome}, protocolVersion)
	if err := r.send(binary.BigEndian.AppendUint32(welcome, welcomeFlags)); err != nil {
		return err
	}
	r.heart.start(r.ctx, func(ctx context.Context) { _ = r.ch.Send(ctx, r.ackItem()) })
	return nil
}

// ackItem repeats what was last told.
func (r *receiver) ackItem() []byte {
	return binary.BigEndian.AppendUint64([]byte{itemAck}, r.told.Load())
}

// ack tells how much has been dealt with.
func (r *receiver) ack() error {
	if r.told.Swap(r.dealt) == r.dealt {
		return nil
	}
	return r.send(r.ackItem())
}

// heartbeat shows a driver every ten seconds that the receiver lives, however long it is busy.
type heartbeat struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (h *heartbeat) start(ctx context.Context, beat func(context.Context)) {
	ctx, h.cancel = context.WithCancel(ctx)
	h.done.Go(func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				beat(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
}

// stop returns when no beat is on its way any more. It may be called again, and without start.
func (h *heartbeat) stop() {
	if h.cancel != nil {
		h.cancel()
		h.done.Wait()
	}
}
