// Package source reads the tree that rsync sends: it lists the directories, describes what is in
// them, and opens the files.
package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// Tree is the tree being sent, and the only part of the driver's file system that a target can make
// it read: files are opened below root, which no path and no link leads out of. Paths of entries
// are relative to the top, with slashes; the top's is empty.
type Tree struct {
	path   string // of the top, without a slash at the end
	root   *os.Root
	info   fs.FileInfo
	filter func(path string) bool
	report Report
}

// Report is told what is wrong with entries. Its methods are called from several goroutines.
type Report interface {
	// Unreadable tells why an entry cannot be read.
	Unreadable(path string, err error)
	// Warn tells what is unusual about an entry without being an error.
	Warn(path, problem string)
}

// Open opens the tree below a directory. filter, which may be nil, tells for each entry's path,
// which begins with path, whether it belongs to the tree.
func Open(path string, filter func(string) bool, report Report) (*Tree, error) {
	if path == "" {
		return nil, errors.New("execnet: rsync: no source directory given")
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("execnet: rsync: the source %s is no directory", paths.Printable(path))
	}
	if err != nil {
		return nil, paths.Wrap("cannot read", path, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, paths.Wrap("cannot read", path, err)
	}
	return &Tree{path: path, root: root, info: info, filter: filter, report: report}, nil
}

// Close closes the top; files that are open stay so.
func (t *Tree) Close() { t.root.Close() }

// Full is the path of an entry as the operating system takes it. It is what a filter is given.
func (t *Tree) Full(path string) string {
	if path == "" {
		return t.path
	}
	return filepath.Join(t.path, filepath.FromSlash(path))
}

// Vanished reports whether an entry is no longer in the tree, wherever the tree itself may have
// been moved.
func (t *Tree) Vanished(path string) bool {
	_, err := t.root.Lstat(dirOrDot(path))
	return errors.Is(err, fs.ErrNotExist)
}

// linkBase tells whether an absolute link target lies inside the tree, and its path from the top.
func (t *Tree) linkBase(target string) (inside string, ok bool) {
	if !filepath.IsAbs(target) {
		return "", false
	}
	top, err := filepath.Abs(t.path)
	if err != nil {
		return "", false
	}
	inside, err = filepath.Rel(top, target)
	if err != nil || inside == "." || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(inside), true
}

// Opener opens files of a tree. It keeps the directory of the last one open, since files of one
// directory come together. One goroutine uses it.
type Opener struct {
	tree *Tree
	dir  string
	root *os.Root
}

// Opener returns an opener of the tree's files, which is to be closed.
func (t *Tree) Opener() *Opener { return &Opener{tree: t} }

// Open opens a regular file for reading.
func (o *Opener) Open(dir, name string) (*os.File, fs.FileInfo, error) {
	if o.root == nil || o.dir != dir {
		o.Close()
		root, err := o.tree.root.OpenRoot(dirOrDot(dir))
		if err != nil {
			return nil, nil, err
		}
		o.root, o.dir = root, dir
	}
	// A FIFO may have replaced the file since it was announced: opening must not wait for it.
	f, err := o.root.OpenFile(name, os.O_RDONLY|openWithoutWaiting, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file any more")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Close closes the directory that is kept open.
func (o *Opener) Close() {
	if o.root != nil {
		o.root.Close()
		o.root = nil
	}
}

func dirOrDot(dir string) string {
	if dir == "" {
		return "."
	}
	return filepath.FromSlash(dir)
}
