package rsync

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"runtime"
	"strings"
)

// wanted is a file whose content was asked for.
type wanted struct {
	dir    *place // nil for a destination that is a file itself
	name   string
	mode   uint32
	mtime  int64
	size   int64 // of the file there; negative if there is none of use
	signed bool  // the driver has, or will have, signatures of its blocks
}

// path is relative to the destination.
func (w *wanted) path() string {
	if w.dir == nil {
		return ""
	}
	return (&place{w.dir, w.name}).path()
}

// at is the directory that holds the file, and its name there.
func (r *receiver) at(w *wanted) (*dir, string, error) {
	if w.dir == nil {
		return r.tree.holder(&place{})
	}
	d, err := r.tree.dir(w.dir)
	return d, w.name, err
}

// announcedLink waits for the end of the sync.
type announcedLink struct {
	folder       *folder
	entry        uint32
	name, target string
}

// announcement is one entry as it came.
type announcement struct {
	kind  byte
	mode  uint32
	mtime int64
	size  int64
	name  string
}

func (f *fields) entry() (a announcement) {
	a.kind, a.mode, a.mtime = f.u8(), f.u32(), int64(f.u64())
	size := f.u64()
	if size > math.MaxInt64 {
		f.bad = true
	}
	a.size = int64(size)
	return a
}

// answer collects what a tree item is answered with.
type answer struct {
	wants  []byte
	checks []uint32 // whose digests follow
}

func (a *answer) want(entry uint32, want byte, size int64) {
	a.wants = binary.BigEndian.AppendUint32(a.wants, entry)
	a.wants = append(a.wants, want)
	a.wants = binary.BigEndian.AppendUint64(a.wants, uint64(size))
}

func (r *receiver) treeItem(f *fields) error {
	a := &answer{wants: []byte{itemWants}}
	for len(f.rest) > 0 {
		if err := r.block(f, a); err != nil {
			return err
		}
	}
	if err := r.send(a.wants); err != nil {
		return err
	}
	if err := r.tellDeleted(); err != nil {
		return err
	}
	return r.sendDigests(a.checks)
}

func (r *receiver) block(f *fields, a *answer) error {
	number, flags, count, nameBytes, targetBytes := f.u32(), f.u8(), f.u32(), f.u32(), f.u32()
	if f.bad || count > maxItem || nameBytes > maxItem || targetBytes > maxItem || flags&^(blockLast|blockIncomplete) != 0 {
		return broken("a tree block of a wrong length, or with unknown flags")
	}
	entries := &fields{rest: f.take(int(count) * entrySize)}
	nameText, targetText := string(f.take(int(nameBytes))), string(f.take(int(targetBytes)))
	if f.bad {
		return broken("a tree block of a wrong length")
	}
	if number == noEntry {
		if r.entries > 0 || count != 1 || nameText != "" || targetText != "" {
			return broken("a wrong block for the root")
		}
		r.entries = 1
		return r.root(entries.entry(), a)
	}
	parent := r.unfinished[number]
	if parent == nil {
		return broken("members of entry %d, which is no directory or complete", number)
	}
	if uint64(r.entries)+uint64(count) >= noEntry {
		return broken("more entries than can be numbered")
	}
	if count == 0 && nameText != "" || count > 0 && strings.Count(nameText, "\x00") != int(count)-1 {
		return broken("not one name for each of %d entries", count)
	}
	hasTarget, links := targetText != "", 0
	for range count {
		e := entries.entry()
		if entries.bad {
			return broken("a size out of range")
		}
		e.name, nameText, _ = strings.Cut(nameText, "\x00")
		if err := parent.announce(e.name); err != nil {
			return err
		}
		target := ""
		if e.kind == kindLink || e.kind == kindLinkBase {
			if links++; links > 1 && !hasTarget {
				return broken("a link without a target")
			}
			target, targetText, hasTarget = strings.Cut(targetText, "\x00")
		}
		if err := r.member(parent, e, target, a); err != nil {
			return err
		}
	}
	if targetText != "" || hasTarget && links > 0 {
		return broken("more targets than the %d links have", links)
	}
	parent.incomplete = parent.incomplete || flags&blockIncomplete != 0
	if flags&blockLast == 0 {
		return nil
	}
	delete(r.unfinished, number)
	err := r.clean(parent)
	parent.announced = nil
	return err
}

// announce refuses names that cannot be, or were, a member of the directory.
func (p *folder) announce(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(name) > maxName {
		return broken("a name longer than %d bytes", maxName)
	}
	before := len(p.announced)
	if p.announced[name] = struct{}{}; len(p.announced) == before {
		return broken("the name %q twice in a directory", name)
	}
	return nil
}

// root takes entry 0, the destination.
func (r *receiver) root(e announcement, a *answer) error {
	info, err := r.tree.lstat(&place{})
	if err != nil {
		return err
	}
	switch e.kind {
	case kindFile:
		if info != nil && info.IsDir() {
			return &entryError{"", errors.New("the destination is a directory, but the source is a file")}
		}
		return r.file(nil, 0, e, info, a)
	case kindDir:
		if info != nil && !info.IsDir() {
			return &entryError{"", errors.New("the destination is a file, but the source is a directory")}
		}
		f := &folder{mode: e.mode, mtime: e.mtime, announced: map[string]struct{}{}}
		f.isNew = info == nil
		f.lost = f.isNew && r.dryRun
		if f.isNew {
			r.stats[statDirs]++
		}
		r.add(f)
		if r.dryRun {
			return nil
		}
		_, err := r.tree.makeDir(&f.place, e.mode)
		return err
	}
	return broken("a root of kind %q", e.kind)
}

func (r *receiver) add(f *folder) {
	r.folders = append(r.folders, f)
	r.unfinished[f.number] = f
}

func (r *receiver) member(parent *folder, e announcement, target string, a *answer) error {
	number := r.entries
	r.entries++
	switch e.kind {
	case kindDir:
		return r.dir(parent, number, e)
	case kindFile:
		if parent.lost && !r.dryRun {
			return nil // its directory could not be made, which has been told
		}
		var info fs.FileInfo
		if !parent.lost && !parent.isNew {
			var err error
			if info, err = r.tree.lstat(&place{&parent.place, e.name}); err != nil {
				return r.trouble(severityEntry, number, (&place{&parent.place, e.name}).path(), err)
			}
		}
		return r.file(&parent.place, number, e, info, a)
	case kindLink:
	case kindLinkBase:
		if strings.HasPrefix(target, "/") || strings.Contains("/"+target+"/", "/../") {
			return &UnsafePathError{target, "the target of a link leads out of the destination"}
		}
		target = filepath.Join(r.tree.path, filepath.FromSlash(target))
	case kindOther:
		return nil
	default:
		return broken("an entry of unknown kind %q", e.kind)
	}
	if !parent.lost || r.dryRun {
		r.links = append(r.links, announcedLink{parent, number, e.name, target})
	}
	return nil
}

func (r *receiver) dir(parent *folder, number uint32, e announcement) error {
	f := &folder{place: place{&parent.place, e.name}, number: number, mode: e.mode, mtime: e.mtime, announced: map[string]struct{}{}}
	r.add(f)
	if parent.lost {
		f.lost = true
		if r.dryRun {
			r.stats[statDirs]++
		}
		return nil
	}
	info, err := r.tree.lstat(&f.place)
	if err == nil {
		f.isNew = info == nil || !info.IsDir()
		if f.lost = f.isNew && r.dryRun; !r.dryRun {
			_, err = r.tree.makeDir(&f.place, e.mode)
		}
	}
	if err != nil {
		f.lost = true
		return r.trouble(severityEntry, number, f.path(), err)
	}
	if f.isNew {
		r.stats[statDirs]++
		if info != nil {
			return r.deleted(f.path())
		}
	}
	return nil
}

// file decides what is wanted of a file, given what is there in its place.
func (r *receiver) file(parent *place, number uint32, e announcement, info fs.FileInfo, a *answer) error {
	w := &wanted{dir: parent, name: e.name, mode: e.mode, mtime: e.mtime, size: -1}
	want := byte(wantContent)
	if info != nil && info.Mode().IsRegular() {
		sameSize := info.Size() == e.size
		switch {
		case sameSize && sameTime(info, e.mtime):
			if samePermissions(info.Mode(), goMode(e.mode)) || r.setMode(w) {
				return nil
			}
			// Its mode cannot be changed: a new file in its place can have any.
		case sameSize && !(r.delta && e.size >= deltaFrom):
			want, w.size = wantCheck, info.Size()
			a.checks = append(a.checks, number)
		default:
			want, w.size = wantDiffers, info.Size()
		}
	}
	r.wanted[number] = w
	a.want(number, want, max(w.size, 0))
	if info != nil && info.IsDir() {
		return r.deleted(w.path())
	}
	return nil
}

func (r *receiver) setMode(w *wanted) bool {
	if !r.dryRun {
		d, name, err := r.at(w)
		if err != nil || d.root.Chmod(name, goMode(w.mode)) != nil {
			return false
		}
	}
	r.stats[statTouched]++
	return true
}

// sameTime compares as exactly as the system keeps times.
func sameTime(info fs.FileInfo, mtime int64) bool {
	differ := nanoseconds(info.ModTime()) - mtime
	if runtime.GOOS == "windows" {
		return -100 < differ && differ < 100
	}
	return differ == 0
}

// clean removes what was not announced, if that was asked for, and what killed syncs left.
func (r *receiver) clean(f *folder) error {
	if f.lost || f.isNew {
		return nil
	}
	var names []string
	d, err := r.tree.dir(&f.place)
	if err == nil {
		names, err = d.names()
	}
	if err != nil {
		return r.trouble(severityEntry, f.number, f.path(), err)
	}
	for _, name := range names {
		_, announced := f.announced[name]
		left := isTemporaryName(name)
		if announced || !left && (!r.delete || f.incomplete) {
			continue
		}
		path := (&place{&f.place, name}).path()
		if !r.dryRun {
			if err := d.remove(name); err != nil {
				if err := r.trouble(severityEntry, noEntry, path, err); err != nil {
					return err
				}
				continue
			}
		}
		if left {
			continue
		}
		if err := r.deleted(path); err != nil {
			return err
		}
	}
	return nil
}

// deleted counts an entry that has been deleted, or will be replaced by one of another kind.
func (r *receiver) deleted(path string) error {
	r.stats[statDeleted]++
	r.removed = append(append(r.removed, path...), 0)
	if len(r.removed) > batchSize {
		return r.tellDeleted()
	}
	return nil
}

func (r *receiver) tellDeleted() error {
	if len(r.removed) == 0 {
		return nil
	}
	item := append([]byte{itemDeleted}, r.removed[:len(r.removed)-1]...)
	r.removed = r.removed[:0]
	return r.send(item)
}
