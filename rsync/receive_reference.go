package rsync

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

// ReceiveReference is the receiving half for pip's execnet.RSync (2.x and 1.9) as the driver, whose
// items it takes and gives exactly (protocol.md sections 11.1 to 11.4): what a Go worker does when
// a driver has it execute execnet.rsync_remote. It returns nil once everything has been received;
// the caller then ends the execution.
//
// Unlike the reference's own half it refuses names that lead out of the destination
// (UnsafePathError), writes files under a temporary name first, follows a destination that is a
// link to a directory, and sets a differing mode of an unchanged file to what was announced. The
// first thing that cannot be written ends it with an error that names the path; errors.Is finds the
// system's reason. Nothing is written any more then, but what the driver has begun to send is still
// taken, for ten seconds at most: a driver that is sending when its channel ends would report that
// instead of the reason.
//
// Contents come as one item each and wait in memory until they are written: that is the protocol's
// way, and the reason for having another one between our own halves.
func ReceiveReference(ctx context.Context, ch *gatewaybase.Channel) error {
	r := &referenceReceiver{ctx: ctx, ch: ch, links: map[string]*place{}}
	defer r.close()
	err := r.run()
	if r.failure != nil {
		return r.failure
	}
	return err
}

type referenceReceiver struct {
	ctx    context.Context
	ch     *gatewaybase.Channel
	tree   *tree
	delete bool
	wanted []wantedFile
	links  map[string]*place // announced as links, by path

	failure error // the first thing that could not be done
	stop    context.CancelFunc
}

// drainTime is how long what has been begun may take once it is in vain.
const drainTime = 10 * time.Second

func (r *referenceReceiver) close() {
	if r.stop != nil {
		r.stop()
	}
	if r.tree != nil {
		r.tree.close()
	}
}

// do does something unless an earlier thing has failed.
func (r *referenceReceiver) do(f func() error) {
	if r.failure != nil {
		return
	}
	if r.failure = f(); r.failure != nil {
		r.ctx, r.stop = context.WithTimeout(r.ctx, drainTime)
	}
}

// run returns at the end of the part in which something has failed; an error is what prevents going
// on at all.
func (r *referenceReceiver) run() error {
	if err := r.start(); err != nil {
		return err
	}
	if err := r.entry(&place{}, nil); err != nil {
		return err
	}
	r.do(func() error { return r.send("list_done", nil) })
	for _, w := range r.wanted {
		if err := r.content(w); err != nil {
			return err
		}
	}
	if r.failure != nil {
		return nil
	}
	if err := r.send("links", nil); err != nil {
		return err
	}
	if err := r.receiveLinks(); err != nil {
		return err
	}
	r.do(func() error { return r.send("done", nil) })
	return nil
}

// wantedFile is a file whose content was asked for.
type wantedFile struct {
	place *place
	names []any // as they came: text, or bytes from a driver under Python 2
	mode  uint32
	mtime time.Time
}

func (r *referenceReceiver) send(what string, with any) error {
	return r.ch.Send(r.ctx, serializer.Tuple{what, with})
}

// start takes the destination and the options, item 3 of section 11.1.
func (r *referenceReceiver) start() error {
	item, err := r.ch.Receive(r.ctx)
	if err != nil {
		return err
	}
	parts, _ := item.(serializer.Tuple)
	if len(parts) == 2 {
		destination, isText := asName(parts[0])
		options, isDict := parts[1].(*serializer.Dict)
		if isText && isDict {
			for name, value := range options.All() {
				text, _ := asName(name)
				on, isBool := value.(bool)
				if n, isInt := value.(int64); isInt {
					on, isBool = n != 0, true
				}
				if value == nil {
					isBool = true
				}
				if text != "delete" || !isBool {
					return unexpected(`options with nothing but a true or false "delete"`, item)
				}
				r.delete = on
			}
			r.do(func() (err error) {
				r.tree, err = newTree(destination)
				return err
			})
			return nil
		}
	}
	return unexpected("(destination, options)", item)
}

// unexpected tells what came, shortened.
func unexpected(wanted string, item any) error {
	text := serializer.Repr(item)
	if b, ok := item.([]byte); ok {
		text = fmt.Sprintf("%d bytes", len(b))
	} else if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "..."
	}
	return broken("%s should have come, not %s", wanted, text)
}

// asName is a str of Python 3, which is text, or of Python 2, which is bytes.
func asName(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// entry receives one entry of the walk, and all below it. names is the path to it as the driver
// spells it.
func (r *referenceReceiver) entry(p *place, names []any) error {
	item, err := r.ch.Receive(r.ctx)
	if err != nil {
		return err
	}
	switch item := item.(type) {
	case []any:
		return r.directory(p, names, item)
	case serializer.Tuple:
		return r.file(p, names, item)
	case nil:
		r.links[p.path()] = p
		return nil
	}
	return unexpected("an entry", item)
}

func (r *referenceReceiver) directory(p *place, names []any, item []any) error {
	wrong := unexpected("[mode, name ...]", item)
	if len(item) == 0 {
		return wrong
	}
	mode, ok := asMode(item[0])
	if !ok {
		return wrong
	}
	announced := make(map[string]struct{}, len(item)-1)
	for _, raw := range item[1:] {
		name, ok := asName(raw)
		if !ok {
			return wrong
		}
		r.do(func() error { return checkName(name) })
		announced[name] = struct{}{}
	}
	created := false
	r.do(func() (err error) {
		created, err = r.tree.makeDir(p, mode)
		return err
	})
	for i, raw := range item[1:] {
		name, _ := asName(raw)
		// The names so far may be shared with a file that was asked for.
		if err := r.entry(&place{p, name}, append(names[:len(names):len(names)], raw)); err != nil {
			return err
		}
		item[1+i] = nil
	}
	if created {
		return nil
	}
	r.do(func() error {
		d, err := r.tree.dir(p)
		if err != nil {
			return err
		}
		return d.clean(announced, r.delete)
	})
	return nil
}

// joined is the path of an ack: text, or bytes where a driver under Python 2 spelled it so.
func joined(names []any) any {
	parts := make([]string, len(names))
	inBytes := false
	for i, name := range names {
		parts[i], _ = asName(name)
		_, isBytes := name.([]byte)
		inBytes = inBytes || isBytes
	}
	path := strings.Join(parts, "/")
	if inBytes {
		return []byte(path)
	}
	return path
}

// receiveLinks takes items 9 and 10 of section 11.4.
func (r *referenceReceiver) receiveLinks() error {
	for {
		item, err := r.ch.Receive(r.ctx)
		if err != nil {
			return err
		}
		if item == int64(42) {
			return nil
		}
		if err := r.link(item); err != nil {
			return err
		}
	}
}

func (r *referenceReceiver) link(item any) error {
	wrong := unexpected(`("link" or "linkbase", path, target) or 42`, item)
	parts, _ := item.(serializer.Tuple)
	if len(parts) != 3 {
		return wrong
	}
	kind, _ := asName(parts[0])
	path, isPath := asName(parts[1])
	target, isTarget := asName(parts[2])
	if kind != "link" && kind != "linkbase" || !isPath || !isTarget {
		return wrong
	}
	p, announced := r.links[path]
	if !announced {
		// A driver under Windows writes paths with its own separator.
		p, announced = r.links[strings.ReplaceAll(path, `\`, "/")]
	}
	if !announced {
		return &UnsafePathError{path, "it was not announced as a link"}
	}
	if kind == "linkbase" {
		target = filepath.Join(r.tree.path, filepath.FromSlash(target))
	}
	r.do(func() error {
		d, name, err := r.tree.holder(p)
		if err != nil {
			return err
		}
		_, err = d.symlink(name, target)
		return err
	})
	return nil
}

// asMode is st_mode; None, from a driver that could not look, is 0.
func asMode(v any) (uint32, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		return uint32(v), v >= 0 && v <= math.MaxUint32
	}
	return 0, false
}

// asFloat is a time in seconds, within what a file's time can be.
func asFloat(v any) (float64, bool) {
	f, ok := v.(float64)
	if i, isInt := v.(int64); isInt {
		f, ok = float64(i), true
	}
	return f, ok && math.Abs(f) < 1<<40 // NaN is not
}

// floatTime is a time as Python's st_mtime has it, which keeps less than the nanoseconds.
func floatTime(t time.Time) float64 {
	// The conversion keeps the compiler from fusing the operations, which would round once instead
	// of twice.
	return float64(t.Unix()) + float64(1e-9*float64(t.Nanosecond()))
}

// timeOfFloat is the time that os.utime sets for a float: rounded down to a nanosecond.
func timeOfFloat(f float64) time.Time {
	seconds := math.Floor(f)
	return time.Unix(int64(seconds), int64(math.Floor((f-seconds)*1e9)))
}
