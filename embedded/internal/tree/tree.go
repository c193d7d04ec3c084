// Package tree keeps folders of files in the user's cache folder: each is filled once, by whichever
// process needs it first, and is complete for everybody who sees it.
package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/pycache"
)

// Folders are filled below this one, and renamed when they are complete. It also holds the lock.
const beingFilled = "unpacking"

// How long a process waits for another one that fills a folder, and how often it looks. Then it
// fills one itself, so that a process that is stopped stops no other.
var (
	longestWait = time.Minute
	lookAgain   = 20 * time.Millisecond
)

// The folder that a process without the lock fills has this before its name. It was left if it is
// older than leftoverAge. So was another one, for a process without the lock.
const (
	alone       = "alone-"
	leftoverAge = time.Hour
)

// Folder returns the folder called name in this module's cache folder. Unless it is there and
// complete, fill fills it; name must contain a hash of what fill writes. Only the user can write to
// it.
//
// A folder is filled under another name and renamed when all of it is on the disk. If several
// processes need it at a time, one fills it and the others wait. What a process that was killed has
// left is removed by the next one that fills a folder. A folder in which a file is missing or has
// another size is filled anew.
//
// The error is a *Error, or fill's own if that is none of the disk.
func Folder(name string, fill func(*Filling) error) (string, error) {
	base, err := pycache.Folder()
	if err != nil {
		return "", &Error{Folder: name, Err: err}
	}
	dir := filepath.Join(base, name)
	if complete(dir) {
		return dir, nil
	}
	err = makeFolder(base, dir, fill)
	var own *fillError
	switch {
	case errors.As(err, &own):
		return "", own.error
	case err != nil:
		return "", &Error{Folder: dir, Err: err}
	}
	return dir, nil
}

// makeFolder fills dir, unless another process does.
func makeFolder(base, dir string, fill func(*Filling) error) error {
	work := filepath.Join(base, beingFilled)
	if err := pycache.Make(work); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(work, "lock"), flock.SetPermissions(0o600))
	waiting, cancel := context.WithTimeout(context.Background(), longestWait)
	defer cancel()
	// Without the lock the rename still decides.
	locked, _ := lock.TryLockContext(waiting, lookAgain)
	defer lock.Close()
	if complete(dir) {
		return nil
	}
	removeLeft(work, locked)
	prefix := filepath.Base(dir) + "-"
	if !locked {
		prefix = alone + prefix
	}
	temporary, err := os.MkdirTemp(work, prefix)
	if err != nil {
		return err
	}
	err = filled(temporary, dir, fill)
	if err == nil {
		err = place(temporary, dir)
	}
	if err != nil {
		_ = os.RemoveAll(temporary) // the error is the first one
	}
	return err
}

// place renames a filled folder. If there is a complete one by now, that one stays; an incomplete
// one makes room.
func place(temporary, dir string) error {
	err := os.Rename(temporary, dir)
	if err == nil {
		return nil
	}
	if complete(dir) {
		return os.RemoveAll(temporary)
	}
	damaged := temporary + "-damaged"
	if moved := os.Rename(dir, damaged); moved != nil {
		return errors.Join(err, moved)
	}
	err = os.Rename(temporary, dir)
	_ = os.RemoveAll(damaged) // otherwise the next process that fills a folder does it
	return err
}

// removeLeft removes what processes that were killed have left.
func removeLeft(work string, locked bool) {
	entries, err := os.ReadDir(work)
	if err != nil {
		return // MkdirTemp tells why
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() {
			continue // the lock, or what is gone by now
		}
		nobodys := locked && !strings.HasPrefix(entry.Name(), alone)
		if nobodys || time.Since(info.ModTime()) > leftoverAge {
			// What stays takes space and harms nobody.
			_ = os.RemoveAll(filepath.Join(work, entry.Name()))
		}
	}
}

// Error says that a folder cannot be filled or used.
type Error struct {
	Folder string // its path, or its name if there is no cache folder
	Err    error
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Error names the folder, the cause, and the variable that puts it elsewhere.
func (e *Error) Error() string {
	reason := e.Err
	var path *fs.PathError
	if errors.As(reason, &path) {
		reason = path.Err
	}
	return "execnet: cannot unpack into " + e.Folder + ": " + errtext.Of(reason) + "; set " + variable() +
		" to another folder of your own, which has room, can be written to and may hold programs"
}

// variable is what the place of a user's cache folder depends on (see os.UserCacheDir).
func variable() string {
	switch runtime.GOOS {
	case "windows":
		return "LOCALAPPDATA"
	case "darwin", "ios":
		return "HOME"
	}
	return "XDG_CACHE_HOME"
}
