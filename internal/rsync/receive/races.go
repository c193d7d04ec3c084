package receive

import (
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// Two syncs, or a sync and somebody else, may work in one directory at the same time. What one of
// them finds can be gone, or be something else, when it acts on it. This file says what is tried
// again then.

// attempts is how often something is tried before its error counts. One sync of another tree
// removes a directory a few times at most.
const attempts = 10

// isInTheWay reports whether an error says that something of another kind has a name: a directory
// that is not empty, a file instead of a directory, or the other way round.
func isInTheWay(err error) bool {
	return errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR)
}

// patiently calls f, which puts something in the place of what has its name. It calls f again for
// about a second while something is in the way, which another sync may have put there meanwhile.
func patiently(f func() error) error {
	for try := 0; ; try++ {
		err := f()
		if !isInTheWay(err) || try == attempts {
			return err
		}
		time.Sleep(time.Millisecond << try)
	}
}

// in calls f with the directory at a place. If the directory has been removed meanwhile, f is
// called again, with the one that was made in its place.
func (t *tree) in(p *place, f func(d *dir) error) error {
	for try := 0; ; try++ {
		d, err := t.dir(p)
		if err == nil {
			err = f(d)
		}
		if !errors.Is(err, fs.ErrNotExist) || try == attempts {
			return err
		}
		t.shrink(1) // the destination itself stays open
	}
}

// entry is in for the directory that holds a place; f gets the name of the place there.
func (t *tree) entry(p *place, f func(d *dir, name string) error) error {
	if p.parent != nil {
		return t.in(p.parent, func(d *dir) error { return f(d, p.name) })
	}
	d, name, err := t.holder(p)
	if err != nil {
		return err
	}
	return f(d, name)
}

// reopen opens a directory that could not be opened as sub, because it has vanished or a file has
// taken its name. It is made again, if the tree is to be changed. A link in its place is an error:
// the user, or somebody who wants to lead the sync elsewhere, has put it there.
func (t *tree) reopen(parent *dir, p *place, cause error) (*dir, error) {
	if t.reading {
		return nil, cause
	}
	info, err := parent.lstat(p.name)
	if err != nil || info != nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, cause
	}
	made, err := parent.makeDir(p.name, modeOwner)
	if err != nil {
		return nil, err
	}
	if made && t.remade != nil {
		t.remade(p)
	}
	return parent.sub(p.name)
}
