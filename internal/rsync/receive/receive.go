// Package receive has the receiving halves of rsync for Go workers: [Serve] for this module's own
// protocol ([protocol.md section 11.5]) and [ServeReference] for that of Python's execnet (sections
// 11.1 to 11.4).
//
// Both write through the same types of this package: a destination is a tree whose directories are
// held open, so that nothing outside of it is touched whatever the driver sends, and files are
// written under a temporary name and renamed when they are complete.
//
// [protocol.md section 11.5]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#115-this-modules-halves
package receive

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
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// Serve is the receiving half of this module's own protocol: what a Go worker runs when a driver
// has it execute wire.RemoteFunction of wire.RemoteFile. It returns when the sync has ended; the
// caller then ends the execution. What goes wrong with the sync is reported to the driver, and nil
// returned: an entry that cannot be written, a full disk, names that lead out of the destination,
// items that are not the protocol. An error means that the driver could not be told, because the
// channel or ctx has ended.
//
// Memory does not grow with the size of files.
func Serve(ctx context.Context, ch *gatewaybase.Channel) error {
	return ServeNamed(ctx, ch, Naming{Unfit: paths.Unfit})
}

// ServeNamed is Serve on a system with other names.
func ServeNamed(ctx context.Context, ch *gatewaybase.Channel, names Naming) error {
	r := &receiver{
		ctx: ctx, ch: ch, naming: names,
		unfinished: map[uint32]*folder{}, wanted: map[uint32]*wanted{},
		failed: map[uint32]struct{}{}, again: map[uint32]struct{}{},
	}
	defer r.close()
	err := r.run()
	if isChannelError(err) || err == nil {
		return err
	}
	r.heart.stop()
	path := ""
	if in := (*entryError)(nil); errors.As(err, &in) {
		path = in.path
	}
	return r.sendError(wire.SeverityFatal, wire.NoEntry, path, reason(err))
}

// receiver is the state of one sync.
type receiver struct {
	ctx    context.Context
	ch     *gatewaybase.Channel
	tree   *tree
	naming Naming

	delete, dryRun, delta bool // what the hello asked for

	entries    uint32 // announced so far
	folders    []*folder
	unfinished map[uint32]*folder // folders whose last block has not come
	links      []announcedLink
	wanted     map[uint32]*wanted  // files asked for and not finished
	failed     map[uint32]struct{} // given up here, still being sent
	again      map[uint32]struct{} // files asked for once more
	part       *incoming           // the file that is coming in pieces; nil if none is
	removed    []byte              // paths to be reported as deleted, each followed by NUL
	finishing  bool                // the driver has sent all but what is in again

	processed uint64        // bytes of contents
	acked     atomic.Uint64 // the same as last reported; the heartbeat reads it
	heart     heartbeat
	stats     [wire.Statistics]uint64
	buf       []byte // for copying
}

// folder is a directory that was announced.
type folder struct {
	place
	number     uint32
	mode       uint32
	mtime      int64
	announced  map[string]struct{} // the names in it, until its last block
	folded     map[string]string   // the first of names that differ by case alone, by small letters
	incomplete bool                // the sender could not read all of it
	isNew      bool
	missing    bool // it is not there: this is a dry run, or it could not be made
	refused    bool // it cannot be made, as one of its names cannot be here
}

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
		f := &wire.Fields{Rest: item[1:]}
		switch kind := item[0]; {
		case kind == wire.ItemContents:
			err = r.contents(f, len(item))
		case r.finishing:
			err = wire.Errorf("an item of kind %q after the end", kind)
		case kind == wire.ItemTree:
			err = r.treeItem(f)
		case kind == wire.ItemSign:
			err = r.sign(f)
		case kind == wire.ItemFinish:
			err = r.startFinish(f)
		default:
			err = wire.Errorf("an item of unknown kind %q", kind)
		}
		if err != nil {
			return err
		}
	}
	return r.finish()
}

// item receives the next item, of at least one byte.
func (r *receiver) item() ([]byte, error) {
	v, err := r.ch.Receive(r.ctx)
	if err != nil {
		return nil, &channelError{err}
	}
	item, ok := v.([]byte)
	if !ok || len(item) == 0 || len(item) > wire.MaxItem {
		return nil, wire.Errorf("an item that is no byte string of at most %d bytes", wire.MaxItem)
	}
	return item, nil
}

func (r *receiver) send(item []byte) error {
	if err := r.ch.Send(r.ctx, item); err != nil {
		return &channelError{err}
	}
	return nil
}

// hello reads the first item, and answers with the welcome.
func (r *receiver) hello(item []byte) error {
	f := &wire.Fields{Rest: item[1:]}
	version, flags := f.U16(), f.U32()
	if item[0] != wire.ItemHello || f.Bad {
		return wire.Errorf("no hello")
	}
	if version != wire.ProtocolVersion || flags&^wire.HelloKnown != 0 {
		return wire.Errorf("only version %d with the flags %#x is known here, not version %d with flags %#x",
			wire.ProtocolVersion, wire.HelloKnown, version, flags)
	}
	r.delete, r.dryRun, r.delta = flags&wire.HelloDelete != 0, flags&wire.HelloDryRun != 0, flags&wire.HelloDelta != 0
	if strings.IndexByte(string(f.Rest), 0) >= 0 {
		return wire.Errorf("a destination with a NUL")
	}
	var err error
	if r.tree, err = newTree(string(f.Rest)); err != nil {
		return err
	}
	r.tree.reading, r.tree.remade = r.dryRun, r.remade
	if !r.dryRun {
		if err := os.MkdirAll(filepath.Dir(r.tree.path), fs.ModePerm); err != nil {
			return fmt.Errorf("%s (making the folder above the destination)", reason(err))
		}
	}
	can := uint32(0)
	if wire.CanIdentify {
		can |= wire.WelcomeHere
	}
	welcome := binary.BigEndian.AppendUint16([]byte{wire.ItemWelcome}, wire.ProtocolVersion)
	if err := r.send(binary.BigEndian.AppendUint32(welcome, can)); err != nil {
		return err
	}
	r.heart.start(r.ctx, func(ctx context.Context) { _ = r.ch.Send(ctx, r.ackItem()) })
	return nil
}

// remade warns of a directory that had vanished and was made again. That the driver cannot be told
// is found when it is sent something else.
func (r *receiver) remade(p *place) {
	_ = r.sendError(wire.SeverityWarning, wire.NoEntry, p.path(), "the directory was removed during the sync and made again: it may lack what had been put into it")
}

// ackItem repeats what was last acknowledged.
func (r *receiver) ackItem() []byte {
	return binary.BigEndian.AppendUint64([]byte{wire.ItemAck}, r.acked.Load())
}

// ack acknowledges what has been processed.
func (r *receiver) ack() error {
	if r.acked.Swap(r.processed) == r.processed {
		return nil
	}
	return r.send(r.ackItem())
}

// startFinish handles the finish item: the driver has sent everything that was asked for.
func (r *receiver) startFinish(f *wire.Fields) error {
	if err := f.End("the end of contents"); err != nil {
		return err
	}
	if r.entries == 0 || len(r.unfinished) > 0 {
		return wire.Errorf("the end before the whole tree has come")
	}
	if !r.dryRun && (len(r.failed) > 0 || r.part != nil || len(r.wanted) > len(r.again)) {
		return wire.Errorf("the end before all contents have come")
	}
	r.finishing = true
	return nil
}

// finish makes the links, gives the directories their modes and times, and sends the end item.
// Links come last, so that nothing is written through them; times of directories come last, since
// what happens in a directory changes its time.
func (r *receiver) finish() error {
	for _, l := range r.links {
		if err := r.link(l); err != nil {
			path := (&place{&l.folder.place, l.name}).path()
			if err := r.report(wire.SeverityEntry, l.entry, path, err); err != nil {
				return err
			}
		}
	}
	for i := len(r.folders) - 1; i >= 0 && !r.dryRun; i-- {
		f := r.folders[i]
		if f.missing {
			continue
		}
		if err := r.tree.in(&f.place, func(d *dir) error { return d.settle(f.mode, f.mtime) }); err != nil {
			if err := r.report(wire.SeverityWarning, f.number, f.path(), err); err != nil {
				return err
			}
		}
	}
	if err := r.sendDeleted(); err != nil {
		return err
	}
	r.heart.stop()
	if err := r.ack(); err != nil {
		return err
	}
	item := []byte{wire.ItemEnd}
	for _, n := range r.stats {
		item = binary.BigEndian.AppendUint64(item, n)
	}
	return r.send(item)
}

func (r *receiver) link(l announcedLink) error {
	if l.folder.missing { // in a dry run
		r.stats[wire.StatLinks]++
		return nil
	}
	var info fs.FileInfo
	made := true
	err := r.tree.in(&l.folder.place, func(d *dir) (err error) {
		if info, err = d.lstat(l.name); err != nil {
			return err
		}
		if r.dryRun {
			is, err := d.root.Readlink(l.name)
			made = err != nil || is != l.target
			return nil
		}
		made, err = d.symlink(l.name, l.target)
		return err
	})
	if err != nil {
		return err
	}
	if !made {
		return nil
	}
	r.stats[wire.StatLinks]++
	if info != nil && info.IsDir() {
		return r.deleted((&place{&l.folder.place, l.name}).path())
	}
	return nil
}

// heartbeat shows a driver every ten seconds that the receiver is alive, however long it is busy.
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
