package rsync

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// source is the tree being sent, and the only thing of the driver's file system that a target can
// make it read: files are opened below root, which nothing leads out of.
type source struct {
	path   string // of the top, without a slash at the end
	root   *os.Root
	info   fs.FileInfo
	filter func(path string) bool
	report *reporter
}

// openSource opens a tree. It fails unless that is a directory.
func openSource(path string, filter func(string) bool, report *reporter) (*source, error) {
	if path == "" {
		return nil, errors.New("execnet: rsync: no source directory given")
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("execnet: rsync: the source %s is no directory", printable(path))
	}
	if err != nil {
		return nil, pathError("cannot read", path, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, pathError("cannot read", path, err)
	}
	return &source{path: path, root: root, info: info, filter: filter, report: report}, nil
}

func (s *source) close() { s.root.Close() }

// full is the path of an entry, given relative to the top with slashes; this is what a filter sees.
func (s *source) full(relative string) string {
	if relative == "" {
		return s.path
	}
	return filepath.Join(s.path, filepath.FromSlash(relative))
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// opener opens files of a tree. It keeps the directory of the last one open, as files of one
// directory come together. One goroutine uses it.
type opener struct {
	source *source
	dir    string
	root   *os.Root
}

// open opens a regular file for reading.
func (o *opener) open(dir, name string) (*os.File, fs.FileInfo, error) {
	if o.root == nil || o.dir != dir {
		o.close()
		root, err := o.source.root.OpenRoot(dirOrDot(dir))
		if err != nil {
			return nil, nil, err
		}
		o.root, o.dir = root, dir
	}
	// Whatever took the file's place since it was announced, opening must not wait for it.
	f, err := o.root.OpenFile(name, os.O_RDONLY|openWithoutWaiting, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

var errNotRegular = errors.New("it is no regular file any more")

func dirOrDot(dir string) string {
	if dir == "" {
		return "."
	}
	return filepath.FromSlash(dir)
}

func (o *opener) close() {
	if o.root != nil {
		o.root.Close()
		o.root = nil
	}
}
