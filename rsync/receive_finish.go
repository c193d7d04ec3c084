package rsync

import "encoding/binary"

// finish makes the links, gives the directories their modes and times, and tells the end.
func (r *receiver) finish() error {
	for _, l := range r.links {
		if err := r.link(l); err != nil {
			path := (&place{&l.folder.place, l.name}).path()
			if err := r.trouble(severityEntry, l.entry, path, err); err != nil {
				return err
			}
		}
	}
	for i := len(r.folders) - 1; i >= 0 && !r.dryRun; i-- {
		f := r.folders[i]
		if f.lost {
			continue
		}
		d, err := r.tree.dir(&f.place)
		if err == nil {
			err = d.settle(f.mode, f.mtime)
		}
		if err != nil {
			if err := r.trouble(severityWarning, f.number, f.path(), err); err != nil {
				return err
			}
		}
	}
	if err := r.tellDeleted(); err != nil {
		return err
	}
	r.heart.stop()
	if err := r.ack(); err != nil {
		return err
	}
	item := []byte{itemEnd}
	for _, n := range r.stats {
		item = binary.BigEndian.AppendUint64(item, n)
	}
	return r.send(item)
}

func (r *receiver) link(l announcedLink) error {
	if l.folder.lost { // in a dry run
		r.stats[statLinks]++
		return nil
	}
	d, err := r.tree.dir(&l.folder.place)
	if err != nil {
		return err
	}
	info, err := d.lstat(l.name)
	if err != nil {
		return err
	}
	made := true
	if r.dryRun {
		is, err := d.root.Readlink(l.name)
		made = err != nil || is != l.target
	} else if made, err = d.symlink(l.name, l.target); err != nil {
		return err
	}
	if !made {
		return nil
	}
	r.stats[statLinks]++
	if info != nil && info.IsDir() {
		return r.deleted((&place{&l.folder.place, l.name}).path())
	}
	return nil
}

// startFinish takes F.
func (r *receiver) startFinish(f *fields) error {
	if err := f.end("the end of contents"); err != nil {
		return err
	}
	if r.entries == 0 || len(r.unfinished) > 0 {
		return broken("the end before the whole tree has come")
	}
	if !r.dryRun && (len(r.failed) > 0 || r.part != nil || len(r.wanted) > len(r.again)) {
		return broken("the end before all contents have come")
	}
	r.finishing = true
	return nil
}
