package receive

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// wanted is a file whose content was asked for.
type wanted struct {
	dir    *place // nil for a destination that is a file itself
	name   string
	mode   uint32
	mtime  int64
	size   int64       // of the file that is there; negative if there is none of use
	signed bool        // the driver has asked for the signatures of its blocks
	info   fs.FileInfo // that file; nil if size is negative
}

// path is relative to the destination.
func (w *wanted) path() string {
	return w.place().path()
}

// place is where the file is to be.
func (w *wanted) place() *place {
	if w.dir == nil {
		return &place{}
	}
	return &place{w.dir, w.name}
}

// entry calls f with the directory that holds the file, and its name there.
func (r *receiver) entry(w *wanted, f func(d *dir, name string) error) error {
	return r.tree.entry(w.place(), f)
}

// unchanged reports whether what is there now is the file that was there before, with its content.
func unchanged(before, now fs.FileInfo) bool {
	return before != nil && now != nil && os.SameFile(before, now) &&
		before.Size() == now.Size() && before.ModTime().Equal(now.ModTime())
}

// announcedLink is a link that is made at the end of the sync.
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

// readAnnouncement reads all but the name, which comes after all entries of the block.
func readAnnouncement(f *wire.Fields) (a announcement) {
	a.kind, a.mode, a.mtime = f.U8(), f.U32(), int64(f.U64())
	size := f.U64()
	if size > math.MaxInt64 {
		f.Bad = true
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

// treeItem handles a tree item: it answers which files of it are wanted, reports what was deleted,
// and sends the digests that the driver is to compare.
func (r *receiver) treeItem(f *wire.Fields) error {
	a := &answer{wants: []byte{wire.ItemWants}}
	for len(f.Rest) > 0 {
		if err := r.block(f, a); err != nil {
			return err
		}
	}
	if err := r.send(a.wants); err != nil {
		return err
	}
	if err := r.sendDeleted(); err != nil {
		return err
	}
	return r.sendDigests(a.checks)
}

// block handles one block of a tree item: some members of a directory that was announced before.
func (r *receiver) block(f *wire.Fields, a *answer) error {
	number, flags, count, nameBytes, targetBytes := f.U32(), f.U8(), f.U32(), f.U32(), f.U32()
	if f.Bad || count > wire.MaxItem || nameBytes > wire.MaxItem || targetBytes > wire.MaxItem || flags&^(wire.BlockLast|wire.BlockIncomplete) != 0 {
		return wire.Errorf("a tree block of a wrong length, or with unknown flags")
	}
	entries := &wire.Fields{Rest: f.Bytes(int(count) * wire.EntrySize)}
	nameText, targetText := string(f.Bytes(int(nameBytes))), string(f.Bytes(int(targetBytes)))
	if f.Bad {
		return wire.Errorf("a tree block of a wrong length")
	}
	if number == wire.NoEntry {
		if r.entries > 0 || count != 1 || nameText != "" || targetText != "" {
			return wire.Errorf("a wrong block for the root")
		}
		r.entries = 1
		return r.root(readAnnouncement(entries), a)
	}
	parent := r.unfinished[number]
	if parent == nil {
		return wire.Errorf("members of entry %d, which is no directory or complete", number)
	}
	if uint64(r.entries)+uint64(count) >= wire.NoEntry {
		return wire.Errorf("more entries than can be numbered")
	}
	if count == 0 && nameText != "" || count > 0 && strings.Count(nameText, "\x00") != int(count)-1 {
		return wire.Errorf("not one name for each of %d entries", count)
	}
	hasTarget, links := targetText != "", 0
	for range count {
		e := readAnnouncement(entries)
		if entries.Bad {
			return wire.Errorf("a size out of range")
		}
		e.name, nameText, _ = strings.Cut(nameText, "\x00")
		if err := parent.announce(e.name); err != nil {
			return err
		}
		target := ""
		if e.kind == wire.KindLink || e.kind == wire.KindLinkBase {
			if links++; links > 1 && !hasTarget {
				return wire.Errorf("a link without a target")
			}
			target, targetText, hasTarget = strings.Cut(targetText, "\x00")
		}
		if err := r.member(parent, e, target, a); err != nil {
			return err
		}
	}
	if targetText != "" || hasTarget && links > 0 {
		return wire.Errorf("more targets than the %d links have", links)
	}
	parent.incomplete = parent.incomplete || flags&wire.BlockIncomplete != 0
	if flags&wire.BlockLast == 0 {
		return nil
	}
	delete(r.unfinished, number)
	err := r.clean(parent)
	parent.announced, parent.folded = nil, nil
	return err
}

// announce notes the name of a member, and refuses one that is unsafe, too long or there already.
func (p *folder) announce(name string) error {
	if err := paths.CheckName(name); err != nil {
		return err
	}
	if len(name) > wire.MaxName {
		return wire.Errorf("a name longer than %d bytes", wire.MaxName)
	}
	before := len(p.announced)
	if p.announced[name] = struct{}{}; len(p.announced) == before {
		return wire.Errorf("the name %q twice in a directory", name)
	}
	return nil
}

// root handles entry 0, the destination.
func (r *receiver) root(e announcement, a *answer) error {
	info, err := r.tree.lstat(&place{})
	if err != nil {
		return err
	}
	switch e.kind {
	case wire.KindFile:
		if info != nil && info.IsDir() {
			return &entryError{"", errors.New("the destination is a directory, but the source is a file")}
		}
		return r.file(nil, 0, e, info, a)
	case wire.KindDir:
		if info != nil && !info.IsDir() {
			return &entryError{"", errors.New("the destination is a file, but the source is a directory")}
		}
		f := &folder{mode: e.mode, mtime: e.mtime, announced: map[string]struct{}{}, folded: map[string]string{}}
		f.isNew = info == nil
		f.missing = f.isNew && r.dryRun
		if f.isNew {
			r.stats[wire.StatDirs]++
		}
		r.add(f)
		if r.dryRun {
			return nil
		}
		_, err := r.tree.makeDir(&f.place, e.mode)
		return err
	}
	return wire.Errorf("a root of kind %q", e.kind)
}

func (r *receiver) add(f *folder) {
	r.folders = append(r.folders, f)
	r.unfinished[f.number] = f
}

// member handles one member of a directory.
func (r *receiver) member(parent *folder, e announcement, target string, a *answer) error {
	number := r.entries
	r.entries++
	if e.kind != wire.KindOther {
		if done, err := r.refuse(parent, number, e); done || err != nil {
			return err
		}
	}
	switch e.kind {
	case wire.KindDir:
		return r.dir(parent, number, e)
	case wire.KindFile:
		if parent.missing && !r.dryRun {
			return nil // its directory could not be made, which has been reported
		}
		var info fs.FileInfo
		if !parent.missing && !parent.isNew {
			var err error
			if info, err = r.tree.lstat(&place{&parent.place, e.name}); err != nil {
				return r.report(wire.SeverityEntry, number, (&place{&parent.place, e.name}).path(), err)
			}
		}
		return r.file(&parent.place, number, e, info, a)
	case wire.KindLink:
	case wire.KindLinkBase:
		if strings.HasPrefix(target, "/") || strings.Contains("/"+target+"/", "/../") {
			return &paths.UnsafeError{Path: target, Problem: "the target of a link leads out of the destination"}
		}
		target = filepath.Join(r.tree.path, filepath.FromSlash(target))
	case wire.KindOther:
		return nil
	default:
		return wire.Errorf("an entry of unknown kind %q", e.kind)
	}
	if !parent.missing || r.dryRun {
		r.links = append(r.links, announcedLink{parent, number, e.name, target})
	}
	return nil
}

// refuse reports an entry whose name cannot be one here, and all in it.
func (r *receiver) refuse(parent *folder, number uint32, e announcement) (done bool, err error) {
	if !parent.refused {
		problem := r.misfit(parent, e.name)
		if problem == "" {
			return false, nil
		}
		r.stats[wire.StatFailed]++
		path := (&place{&parent.place, e.name}).path()
		if err := r.sendError(wire.SeverityEntry, number, path, problem); err != nil {
			return true, err
		}
	}
	if e.kind == wire.KindDir {
		f := newFolder(parent, number, e)
		f.missing, f.refused = true, true
		r.add(f)
	}
	return true, nil
}

func newFolder(parent *folder, number uint32, e announcement) *folder {
	return &folder{
		place: place{&parent.place, e.name}, number: number, mode: e.mode, mtime: e.mtime,
		announced: map[string]struct{}{}, folded: map[string]string{},
	}
}

// dir makes a directory that was announced.
func (r *receiver) dir(parent *folder, number uint32, e announcement) error {
	f := newFolder(parent, number, e)
	r.add(f)
	if parent.missing {
		f.missing = true
		if r.dryRun {
			r.stats[wire.StatDirs]++
		}
		return nil
	}
	info, err := r.tree.lstat(&f.place)
	if err == nil {
		f.isNew = info == nil || !info.IsDir()
		if f.missing = f.isNew && r.dryRun; !r.dryRun {
			_, err = r.tree.makeDir(&f.place, e.mode)
		}
	}
	if err != nil {
		f.missing = true
		return r.report(wire.SeverityEntry, number, f.path(), err)
	}
	if f.isNew {
		r.stats[wire.StatDirs]++
		if info != nil {
			return r.deleted(f.path())
		}
	}
	return nil
}

// file decides what is wanted of a file, given what is there in its place.
func (r *receiver) file(parent *place, number uint32, e announcement, info fs.FileInfo, a *answer) error {
	w := &wanted{dir: parent, name: e.name, mode: e.mode, mtime: e.mtime, size: -1}
	want := byte(wire.WantContent)
	if info != nil && info.Mode().IsRegular() {
		sameSize := info.Size() == e.size
		switch {
		case sameSize && sameTime(info, e.mtime):
			if samePermissions(info.Mode(), goMode(e.mode)) || r.setMode(w) {
				return nil
			}
			// Its mode cannot be changed, but a new file in its place can have any mode.
		case sameSize && !(r.delta && e.size >= wire.DeltaFrom):
			want, w.size, w.info = wire.WantCheck, info.Size(), info
			a.checks = append(a.checks, number)
		default:
			want, w.size, w.info = wire.WantDiffers, info.Size(), info
		}
	}
	r.wanted[number] = w
	a.want(number, want, max(w.size, 0))
	if info != nil && info.IsDir() {
		return r.deleted(w.path())
	}
	return nil
}

// setMode sets the mode of a file whose content is right. It reports whether it could.
func (r *receiver) setMode(w *wanted) bool {
	if !r.dryRun {
		err := r.entry(w, func(d *dir, name string) error { return d.root.Chmod(name, goMode(w.mode)) })
		if err != nil {
			return false
		}
	}
	r.stats[wire.StatTouched]++
	return true
}

// sameTime compares as exactly as the system keeps times.
func sameTime(info fs.FileInfo, mtime int64) bool {
	difference := wire.Nanoseconds(info.ModTime()) - mtime
	if runtime.GOOS == "windows" {
		return -100 < difference && difference < 100
	}
	return difference == 0
}

// clean removes what was not announced, if that was asked for, and temporary files that killed
// syncs have left, which are not counted.
func (r *receiver) clean(f *folder) error {
	if f.missing || f.isNew {
		return nil
	}
	var names []string
	var d *dir
	err := r.tree.in(&f.place, func(in *dir) (err error) {
		d = in
		names, err = d.names()
		return err
	})
	if err != nil {
		return r.report(wire.SeverityEntry, f.number, f.path(), err)
	}
	for _, name := range names {
		_, announced := f.announced[name]
		leftover := isTemporaryName(name)
		if announced || !leftover && (!r.delete || f.incomplete) {
			continue
		}
		path := (&place{&f.place, name}).path()
		if !r.dryRun {
			remove, severity := d.remove, byte(wire.SeverityEntry)
			if leftover {
				remove = d.removeLeftover
			}
			if err := remove(name); err != nil {
				if errors.Is(err, fs.ErrExist) {
					severity = wire.SeverityWarning // another sync is writing to it
				}
				if err := r.report(severity, wire.NoEntry, path, err); err != nil {
					return err
				}
				continue
			}
		}
		if leftover {
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
	r.stats[wire.StatDeleted]++
	r.removed = append(append(r.removed, path...), 0)
	if len(r.removed) > wire.BatchSize {
		return r.sendDeleted()
	}
	return nil
}

func (r *receiver) sendDeleted() error {
	if len(r.removed) == 0 {
		return nil
	}
	item := append([]byte{wire.ItemDeleted}, r.removed[:len(r.removed)-1]...)
	r.removed = r.removed[:0]
	return r.send(item)
}
