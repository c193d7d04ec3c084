// Package changes tells which files of a folder change.
package changes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing more may change before changes are told: an editor writes a file in
// several steps, and a version control system many files.
const quiet = 100 * time.Millisecond

// Watcher watches a folder and the folders in it, but for hidden ones, caches, and virtual
// environments of Python.
type Watcher struct {
	root  string
	files *fsnotify.Watcher
}

// New starts watching root. Close ends it.
func New(root string) (*Watcher, error) {
	files, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watcher{root, files}
	if err := w.add(root); err != nil {
		return nil, errors.Join(err, files.Close())
	}
	return w, nil
}

// Close ends watching.
func (w *Watcher) Close() error { return w.files.Close() }

// add watches a folder and those in it.
func (w *Watcher) add(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it has been there for a moment
		case err != nil || !entry.IsDir():
			return err
		case path != w.root && isIgnored(path):
			return fs.SkipDir
		}
		err = w.files.Add(path)
		if errors.Is(err, syscall.ENOSPC) {
			err = errors.New("the system watches no more folders for this user (fs.inotify.max_user_watches)")
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot watch %s: %w", path, err)
		}
		return nil
	})
}

// isIgnored reports whether changes of a file or folder do not count.
func isIgnored(path string) bool {
	name := filepath.Base(path)
	if strings.HasPrefix(name, ".") || name == "__pycache__" || name == "node_modules" || strings.HasSuffix(name, "~") {
		return true
	}
	_, err := os.Stat(filepath.Join(path, "pyvenv.cfg"))
	return err == nil
}

// Take waits until nothing has changed for a moment, and returns what has changed up to then of the
// files that counts says count. It forgets the rest. Paths are relative to the root, with "/", in
// order.
func (w *Watcher) Take(ctx context.Context, counts func(path string) bool) ([]string, error) {
	return w.collect(ctx, counts, true)
}

// Wait is Take for all files, and waits until one changes.
func (w *Watcher) Wait(ctx context.Context) ([]string, error) {
	return w.collect(ctx, func(string) bool { return true }, false)
}

// collect is Take, or Wait if none is not enough. When ctx ends it returns ctx's cause.
func (w *Watcher) collect(ctx context.Context, counts func(path string) bool, none bool) ([]string, error) {
	found := map[string]bool{}
	for {
		var over <-chan time.Time
		if none || len(found) > 0 {
			over = time.After(quiet)
		}
		select {
		case event := <-w.files.Events:
			if err := w.note(event, counts, found); err != nil {
				return nil, err
			}
		case err := <-w.files.Errors:
			return nil, err
		case <-over:
			return slices.Sorted(maps.Keys(found)), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// note takes a change. What appears in a new folder before that is watched counts as the folder.
func (w *Watcher) note(event fsnotify.Event, counts func(path string) bool, found map[string]bool) error {
	path, err := filepath.Rel(w.root, event.Name)
	if err != nil || event.Op == fsnotify.Chmod || isIgnored(event.Name) {
		return nil
	}
	if event.Has(fsnotify.Create) {
		if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
			if err := w.add(event.Name); err != nil {
				return err
			}
		}
	}
	if path = filepath.ToSlash(path); counts(path) {
		found[path] = true
	}
	return nil
}
