package receive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// place is a path below the destination, as a chain from the entry up: entries of one directory
// share its place. The place without a parent is the destination itself.
type place struct {
	parent *place
	name   string
}

// path is the place's path below the destination, with slashes; empty for the destination itself.
func (p *place) path() string {
	if p.parent == nil {
		return ""
	}
	var names []string
	for ; p.parent != nil; p = p.parent {
		names = append(names, p.name)
	}
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteString(names[i])
		if i > 0 {
			b.WriteByte('/')
		}
	}
	return b.String()
}

// tree is a destination. It keeps open the directories on the way to the place that was used last,
// and only those, so that work in the order of the tree opens each directory once.
type tree struct {
	path  string // absolute
	above *dir   // what holds the destination; nil until it is needed
	open  []openPlace

	reading bool         // nothing may be changed, this is a dry run
	remade  func(*place) // if set, is told of each directory that had vanished and was made again
}

type openPlace struct {
	place *place
	dir   *dir
}

// newTree begins at a destination, which need not exist. The user has named it, so links in its
// path are followed.
func newTree(destination string) (*tree, error) {
	if destination == "" {
		return nil, errors.New("execnet: rsync: the destination is empty")
	}
	path, err := filepath.Abs(destination)
	if err != nil {
		return nil, paths.Wrap("cannot find", destination, err)
	}
	return &tree{path: path}, nil
}

func (t *tree) close() {
	t.shrink(0)
	if t.above != nil {
		t.above.close()
		t.above = nil
	}
}

func (t *tree) shrink(n int) {
	for len(t.open) > n {
		last := len(t.open) - 1
		t.open[last].dir.close()
		t.open = t.open[:last]
	}
}

// dir is the directory at a place; it stays open until another place is asked for.
func (t *tree) dir(p *place) (*dir, error) {
	for i := len(t.open) - 1; i >= 0; i-- {
		if t.open[i].place == p {
			t.shrink(i + 1)
			return t.open[i].dir, nil
		}
	}
	if p.parent == nil {
		t.shrink(0)
		root, err := openDir(t.path)
		if err != nil {
			return nil, err
		}
		t.open = append(t.open, openPlace{p, root})
		return root, nil
	}
	parent, err := t.dir(p.parent)
	if err != nil {
		return nil, err
	}
	sub, err := parent.sub(p.name)
	if err != nil {
		if sub, err = t.reopen(parent, p, err); err != nil {
			return nil, err
		}
	}
	t.open = append(t.open, openPlace{p, sub})
	return sub, nil
}

// holder is the directory that a place is an entry of, and the entry's name in it.
func (t *tree) holder(p *place) (*dir, string, error) {
	if p.parent != nil {
		d, err := t.dir(p.parent)
		return d, p.name, err
	}
	name := filepath.Base(t.path)
	if err := paths.CheckName(name); err != nil {
		return nil, "", err
	}
	if problem := paths.Unfit(name); problem != "" {
		return nil, "", &paths.UnsafeError{Path: name, Problem: problem}
	}
	if t.above == nil {
		parent := filepath.Dir(t.path)
		if err := os.MkdirAll(parent, fs.ModePerm); err != nil {
			return nil, "", paths.Wrap("cannot make the directory", parent, err)
		}
		var err error
		if t.above, err = openDir(parent); err != nil {
			return nil, "", err
		}
	}
	return t.above, name, nil
}

// lstat describes what is at a place, nil if nothing is. The destination itself is described as
// what it leads to.
func (t *tree) lstat(p *place) (fs.FileInfo, error) {
	if p.parent == nil {
		info, err := os.Stat(t.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return info, paths.Wrap("cannot look at", t.path, err)
	}
	var info fs.FileInfo
	err := t.entry(p, func(d *dir, name string) (err error) {
		info, err = d.lstat(name)
		return err
	})
	return info, err
}

// makeDir is dir.makeDir at a place. A destination that is a link to a directory stays one.
func (t *tree) makeDir(p *place, mode uint32) (created bool, err error) {
	if p.parent == nil {
		info, err := os.Stat(t.path)
		if err == nil && info.IsDir() {
			if want := goMode(mode) | modeOwner; mode != 0 && !samePermissions(info.Mode(), want) {
				// It may belong to somebody else and yet be writable; if it is not, what is written
				// into it fails.
				_ = os.Chmod(t.path, want)
			}
			return false, nil
		}
	}
	err = t.entry(p, func(d *dir, name string) (err error) {
		created, err = d.makeDir(name, mode)
		return err
	})
	return created, err
}
