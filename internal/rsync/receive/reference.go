package receive

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/serializer"
)

// ServeReference is the receiving half for the RSync of pip's execnet (2.x and 1.9) as the driver,
// whose items it takes and gives exactly ([protocol.md section 11.1] to 11.4): what a Go worker
// does when a driver has it execute execnet.rsync_remote. It returns nil once everything has been
// received; the caller then ends the execution.
//
// Unlike the reference's own half it refuses names that lead out of the destination
// (*paths.UnsafeError), writes files under a temporary name first, follows a destination that is a
// link to a directory, and sets a differing mode of an unchanged file to what was announced. The
// first thing that cannot be written ends it with an error that names the path; errors.Is finds the
// system's reason. Nothing is written any more then, but what the driver has begun to send is still
// read, for ten seconds at most: a driver that is sending when its channel ends would report that
// instead of the reason.
//
// Each content comes as one item and is in memory until it is written: that is the protocol's way,
// and the reason for having another one between our own halves.
//
// [protocol.md section 11.1]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#111-start
func ServeReference(ctx context.Context, ch *gatewaybase.Channel) error {
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

	failure error              // the first thing that could not be done
	stop    context.CancelFunc // ends the time that is left after a failure
}

// drainTime is how long after a failure the receiver goes on reading what the driver has begun to
// send.
const drainTime = 10 * time.Second

func (r *referenceReceiver) close() {
	if r.stop != nil {
		r.stop()
	}
	if r.tree != nil {
		r.tree.close()
	}
}

// try calls f unless something has failed before. A failure of f does not end the conversation at
// once, see drainTime.
func (r *referenceReceiver) try(f func() error) {
	if r.failure != nil {
		return
	}
	if r.failure = f(); r.failure != nil {
		r.ctx, r.stop = context.WithTimeout(r.ctx, drainTime)
	}
}

// run returns nil at the end of the part of the conversation in which something has failed. An
// error is one after which it cannot go on at all: the driver breaks the protocol or is gone.
func (r *referenceReceiver) run() error {
	if err := r.start(); err != nil {
		return err
	}
	if err := r.entry(&place{}, nil); err != nil {
		return err
	}
	r.try(func() error { return r.send("list_done", nil) })
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
	r.try(func() error { return r.send("done", nil) })
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

// start reads the destination and the options, item 3 of section 11.1.
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
			r.try(func() (err error) {
				r.tree, err = newTree(destination)
				return err
			})
			return nil
		}
	}
	return unexpected("(destination, options)", item)
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

// directory makes a directory, receives what is in it, and removes what is not to be there.
func (r *referenceReceiver) directory(p *place, names []any, item []any) error {
	wrong := func() error { return unexpected("[mode, name ...]", item) }
	if len(item) == 0 {
		return wrong()
	}
	mode, ok := asMode(item[0])
	if !ok {
		return wrong()
	}
	announced := make(map[string]struct{}, len(item)-1)
	folded := make(map[string]string)
	var alike [][2]string // names that differ by case alone
	for _, raw := range item[1:] {
		name, ok := asName(raw)
		if !ok {
			return wrong()
		}
		r.try(func() error { return checkName(p, name) })
		announced[name] = struct{}{}
		key := strings.ToLower(name)
		if other, known := folded[key]; known && other != name {
			alike = append(alike, [2]string{other, name})
		}
		folded[key] = name
	}
	created := false
	r.try(func() (err error) {
		created, err = r.tree.makeDir(p, mode)
		return err
	})
	for _, names := range alike {
		r.try(func() error {
			return r.tree.in(p, func(d *dir) error {
				if d.isOneName(names[0], names[1]) {
					return paths.Wrap("cannot write", d.full(names[1]), errors.New(sameNameProblem(names[0], names[1])))
				}
				return nil
			})
		})
	}
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
	r.try(func() error {
		return r.tree.in(p, func(d *dir) error { return d.clean(announced, r.delete) })
	})
	return nil
}

// checkName returns an error for a name that no entry, or none of this system, can have.
func checkName(dir *place, name string) error {
	if err := paths.CheckName(name); err != nil {
		return err
	}
	if problem := paths.Unfit(name); problem != "" {
		return paths.Wrap("cannot write", (&place{dir, name}).path(), errors.New(problem))
	}
	return nil
}

// receiveLinks handles items 9 and 10 of section 11.4.
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

// link makes a link that was announced.
func (r *referenceReceiver) link(item any) error {
	wrong := func() error { return unexpected(`("link" or "linkbase", path, target) or 42`, item) }
	parts, _ := item.(serializer.Tuple)
	if len(parts) != 3 {
		return wrong()
	}
	kind, _ := asName(parts[0])
	path, isPath := asName(parts[1])
	target, isTarget := asName(parts[2])
	if kind != "link" && kind != "linkbase" || !isPath || !isTarget {
		return wrong()
	}
	p, announced := r.links[path]
	if !announced {
		// A driver under Windows writes paths with its own separator.
		p, announced = r.links[strings.ReplaceAll(path, `\`, "/")]
	}
	if !announced {
		return &paths.UnsafeError{Path: path, Problem: "it was not announced as a link"}
	}
	if kind == "linkbase" {
		target = filepath.Join(r.tree.path, filepath.FromSlash(target))
	}
	r.try(func() error {
		return r.tree.entry(p, func(d *dir, name string) error {
			_, err := d.symlink(name, target)
			return err
		})
	})
	return nil
}

// file handles the announcement of a file.
func (r *referenceReceiver) file(p *place, names []any, item serializer.Tuple) error {
	wrong := func() error { return unexpected("(mode, mtime, size)", item) }
	if len(item) != 3 {
		return wrong()
	}
	mode, ok1 := asMode(item[0])
	mtime, ok2 := asFloat(item[1])
	size, ok3 := item[2].(int64)
	if !ok1 || !ok2 || !ok3 || size < 0 {
		return wrong()
	}
	r.try(func() error { return r.compare(p, names, mode, mtime, size) })
	return nil
}

// compare asks for an announced file if it is not here, with the checksum of one that may be the
// same.
func (r *referenceReceiver) compare(p *place, names []any, mode uint32, mtime float64, size int64) error {
	info, err := r.tree.lstat(p)
	if err != nil {
		return err
	}
	var checksum any
	switch {
	case info == nil:
	case info.IsDir() && p.parent == nil:
		return fmt.Errorf("execnet: rsync: the destination %s is a directory, but the source is a file", paths.Printable(r.tree.path))
	case !info.Mode().IsRegular(), info.Size() != size:
	case wire.FloatTime(info.ModTime()) == mtime:
		return r.keep(p, info, mode)
	default:
		if checksum, err = r.checksum(p); err != nil {
			return err
		}
	}
	if names == nil {
		names = []any{}
	}
	if err := r.send("send", serializer.Tuple{names, checksum}); err != nil {
		return err
	}
	r.wanted = append(r.wanted, wantedFile{p, names, mode, timeOfFloat(mtime)})
	return nil
}

// keep sets the mode of a file whose content is as announced.
func (r *referenceReceiver) keep(p *place, info fs.FileInfo, mode uint32) error {
	if mode == 0 || samePermissions(info.Mode(), goMode(mode)) {
		return nil
	}
	return r.tree.entry(p, func(d *dir, name string) error {
		return paths.Wrap("cannot set the mode of", d.full(name), d.root.Chmod(name, goMode(mode)))
	})
}

// checksum is the MD5 digest of the file at p as it is, nil if it cannot be read; its content is
// then asked for anyway.
func (r *referenceReceiver) checksum(p *place) (any, error) {
	var f *os.File
	err := r.tree.entry(p, func(d *dir, name string) (err error) {
		f, err = d.regular(name)
		return err
	})
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, nil
	}
	return h.Sum(nil), nil
}

// content receives one file's content, items 6 and 7 of section 11.3.
func (r *referenceReceiver) content(w wantedFile) error {
	item, err := r.ch.Receive(r.ctx)
	if err != nil {
		return err
	}
	data, isBytes := item.([]byte)
	if !isBytes && item != nil {
		return unexpected("a file's content", item)
	}
	r.try(func() error {
		// Before the content is written, as the reference does: the driver counts it as sent.
		if err := r.send("ack", joined(w.names)); err != nil {
			return err
		}
		return r.write(w, data, item == nil)
	})
	return nil
}

// write writes a file, or only sets mode and time if no content has come.
func (r *referenceReceiver) write(w wantedFile, data []byte, attributes bool) error {
	return r.tree.entry(w.place, func(d *dir, name string) error {
		if attributes {
			return r.touch(d, name, w)
		}
		return d.write(name, data, w.mode, w.mtime)
	})
}

// touch sets mode and time of a file whose content need not come, or has vanished at the driver.
// Like the reference it ignores what it may not change, as of a file that belongs to somebody else:
// the content is right.
func (r *referenceReceiver) touch(d *dir, name string, w wantedFile) error {
	info, err := d.lstat(name)
	if err != nil || info == nil || !info.Mode().IsRegular() || w.mode == 0 {
		return err
	}
	if !samePermissions(info.Mode(), goMode(w.mode)) {
		_ = d.root.Chmod(name, goMode(w.mode))
	}
	_ = d.root.Chtimes(name, time.Time{}, w.mtime)
	return nil
}
