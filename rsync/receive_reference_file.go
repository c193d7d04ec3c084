package rsync

import (
	"crypto/md5"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

func (r *referenceReceiver) file(p *place, names []any, item serializer.Tuple) error {
	wrong := unexpected("(mode, mtime, size)", item)
	if len(item) != 3 {
		return wrong
	}
	mode, ok1 := asMode(item[0])
	mtime, ok2 := asFloat(item[1])
	size, ok3 := item[2].(int64)
	if !ok1 || !ok2 || !ok3 || size < 0 {
		return wrong
	}
	r.do(func() error { return r.compare(p, names, mode, mtime, size) })
	return nil
}

// compare asks for an announced file if it is not here.
func (r *referenceReceiver) compare(p *place, names []any, mode uint32, mtime float64, size int64) error {
	info, err := r.tree.lstat(p)
	if err != nil {
		return err
	}
	var checksum any
	switch {
	case info == nil:
	case info.IsDir() && p.parent == nil:
		return fmt.Errorf("execnet: rsync: the destination %s is a directory, but the source is a file", printable(r.tree.path))
	case !info.Mode().IsRegular(), info.Size() != size:
	case floatTime(info.ModTime()) == mtime:
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

// keep is for a file whose content is as announced.
func (r *referenceReceiver) keep(p *place, info fs.FileInfo, mode uint32) error {
	if mode == 0 || samePermissions(info.Mode(), goMode(mode)) {
		return nil
	}
	d, name, err := r.tree.holder(p)
	if err != nil {
		return err
	}
	return pathError("cannot set the mode of", d.full(name), d.root.Chmod(name, goMode(mode)))
}

// checksum is the MD5 digest of the file at p as it is, nil if it cannot be read; its content is
// then asked for anyway.
func (r *referenceReceiver) checksum(p *place) (any, error) {
	d, name, err := r.tree.holder(p)
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
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

// content takes one file's content, items 6 and 7 of section 11.3.
func (r *referenceReceiver) content(w wantedFile) error {
	item, err := r.ch.Receive(r.ctx)
	if err != nil {
		return err
	}
	data, isBytes := item.([]byte)
	if !isBytes && item != nil {
		return unexpected("a file's content", item)
	}
	r.do(func() error {
		// Before the content is written, as the reference does: the driver counts it as sent.
		if err := r.send("ack", joined(w.names)); err != nil {
			return err
		}
		return r.write(w, data, item == nil)
	})
	return nil
}

// write writes a file, or brings the attributes of one in order whose content does not come.
func (r *referenceReceiver) write(w wantedFile, data []byte, attributes bool) error {
	d, name, err := r.tree.holder(w.place)
	if err != nil {
		return err
	}
	if attributes {
		return r.touch(d, name, w)
	}
	return d.write(name, data, w.mode, w.mtime)
}

// touch is for a file whose content need not come, or is gone at the driver. Like the reference it
// lets be what it may not change, a file that belongs to somebody else for one: the content is
// right.
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
