package receive

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// dir is a directory of the destination, held open: what is done through it happens in it, whatever
// has become of its path meanwhile. All names are names of its entries; no method follows a
// symbolic link.
type dir struct {
	root *os.Root
	path string // for messages
}

// openDir opens a directory by its path, which is the user's and followed like any other.
func openDir(path string) (*dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, paths.Wrap("cannot open", path, err)
	}
	return &dir{root, path}, nil
}

func (d *dir) close() { d.root.Close() }

// full is the path of an entry, for messages.
func (d *dir) full(name string) string { return filepath.Join(d.path, name) }

// lstat describes an entry; nil if there is none.
func (d *dir) lstat(name string) (fs.FileInfo, error) {
	info, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, paths.Wrap("cannot look at", d.full(name), err)
}

// clone opens the directory once more.
func (d *dir) clone() (*dir, error) {
	root, err := d.root.OpenRoot(".")
	if err != nil {
		return nil, paths.Wrap("cannot open", d.path, err)
	}
	return &dir{root, d.path}, nil
}

// sub opens a directory in this one. Anything else of that name, above all a link to a directory,
// gives a *paths.UnsafeError: it was not announced as a directory, or was replaced since.
func (d *dir) sub(name string) (*dir, error) {
	path := d.full(name)
	for try := 0; ; try++ {
		before, err := d.root.Lstat(name)
		if err != nil {
			return nil, paths.Wrap("cannot open", path, err)
		}
		if !before.IsDir() {
			return nil, &paths.UnsafeError{Path: path, Problem: "it is no directory"}
		}
		root, err := d.root.OpenRoot(name)
		if err != nil {
			return nil, paths.Wrap("cannot open", path, err)
		}
		// OpenRoot follows a link that replaced the directory after the first look. Another sync
		// may also have replaced the directory by a new one.
		after, err := root.Stat(".")
		if err == nil && os.SameFile(before, after) {
			return &dir{root, path}, nil
		}
		root.Close()
		if err == nil && try == attempts {
			err = &paths.UnsafeError{Path: path, Problem: "it was replaced while in use"}
		}
		if err != nil {
			return nil, paths.Wrap("cannot open", path, err)
		}
	}
}

// makeDir makes a directory of that name unless there is one, removing what else has the name, and
// reports whether it made one. The directory gets the given mode, with all permissions for the
// owner, since it is going to be written to. A mode of 0 leaves the mode as it is. That the mode of
// a directory that was there cannot be set is no error: it may belong to somebody else and yet be
// writable.
func (d *dir) makeDir(name string, mode uint32) (created bool, err error) {
	want := goMode(mode) | modeOwner
	perm := want.Perm()
	if mode == 0 {
		perm = fs.ModePerm // as the user's mask has it
	}
	var info fs.FileInfo
	err = patiently(func() (err error) {
		if info, err = d.lstat(name); err != nil || info != nil && info.IsDir() {
			return err
		}
		if info != nil {
			if err := d.remove(name); err != nil {
				return err
			}
		}
		if err := d.root.Mkdir(name, perm); err != nil {
			return paths.Wrap("cannot make the directory", d.full(name), err)
		}
		created = true
		info, err = d.root.Lstat(name)
		return paths.Wrap("cannot look at", d.full(name), err)
	})
	if err == nil && mode != 0 && !samePermissions(info.Mode(), want) {
		if err = d.root.Chmod(name, want); err != nil && created {
			return created, paths.Wrap("cannot set the mode of", d.full(name), err)
		}
		err = nil
	}
	return created, err
}

// symlink makes a symbolic link unless the same one is there, and reports whether it made one.
func (d *dir) symlink(name, target string) (made bool, err error) {
	err = patiently(func() error {
		info, err := d.lstat(name)
		if err != nil {
			return err
		}
		if info != nil && info.Mode()&fs.ModeSymlink != 0 {
			if is, err := d.root.Readlink(name); err == nil && is == target {
				return nil
			}
		}
		if info != nil && info.IsDir() {
			if err := d.remove(name); err != nil {
				return err
			}
		}
		temporary := temporaryName(name)
		if err = d.root.Symlink(target, temporary); err == nil {
			if err = d.root.Rename(temporary, name); err != nil {
				_ = d.root.Remove(temporary) // the error that matters is the other
			}
		}
		made = err == nil
		return paths.Wrap("cannot make the symbolic link", d.full(name), err)
	})
	return made, err
}

// touch gives a file that is there a mode and a time.
func (d *dir) touch(name string, info fs.FileInfo, mode uint32, mtime int64) error {
	var err error
	if !samePermissions(info.Mode(), goMode(mode)) {
		err = d.root.Chmod(name, goMode(mode))
	}
	if err == nil {
		err = d.root.Chtimes(name, time.Time{}, time.Unix(0, mtime))
	}
	return paths.Wrap("cannot set mode and time of", d.full(name), err)
}

// settle gives the directory itself its mode and time, after everything in it is done.
func (d *dir) settle(mode uint32, mtime int64) error {
	info, err := d.root.Stat(".")
	if err == nil && !sameTime(info, mtime) {
		err = d.root.Chtimes(".", time.Time{}, time.Unix(0, mtime))
	}
	if err == nil && !samePermissions(info.Mode(), goMode(mode)) {
		err = d.root.Chmod(".", goMode(mode))
	}
	return paths.Wrap("cannot set mode and time of", d.path, err)
}

// remove removes an entry and all below it. That it is not there is no error. It fails with
// fs.ErrExist if a directory does not get empty, since another sync is writing to it.
func (d *dir) remove(name string) error {
	var err error
	for range 3 {
		if err = d.removeOnce(name); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return paths.Wrap("cannot remove", d.full(name), err)
}

func (d *dir) removeOnce(name string) error {
	err := d.root.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	info, lstatErr := d.root.Lstat(name)
	if errors.Is(lstatErr, fs.ErrNotExist) {
		return nil
	}
	if lstatErr != nil || !info.IsDir() {
		return err
	}
	if info.Mode()&modeOwner != modeOwner {
		_ = d.root.Chmod(name, modeOwner) // if it cannot be emptied, that is the error
	}
	if err := d.removeMembers(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = d.root.Remove(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeMembers empties a directory, but for the temporary files of other syncs.
func (d *dir) removeMembers(name string) error {
	sub, err := d.sub(name)
	if err != nil {
		return err
	}
	defer sub.close()
	names, err := sub.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if isTemporaryName(name) {
			err = sub.removeLeftover(name)
		} else {
			err = sub.removeOnce(name)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// regular opens what was a regular file.
func (d *dir) regular(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, openToRead, 0)
	return f, paths.Wrap("cannot read", d.full(name), err)
}

// names lists the directory.
func (d *dir) names() ([]string, error) {
	f, err := d.root.Open(".")
	if err == nil {
		defer f.Close()
		var names []string
		if names, err = f.Readdirnames(-1); err == nil || err == io.EOF {
			return names, nil
		}
	}
	return nil, paths.Wrap("cannot list", d.path, err)
}

// clean removes the temporary files that killed syncs have left, and, if all is set, every entry
// that was not announced. A directory to which another sync is writing stays.
func (d *dir) clean(announced map[string]struct{}, all bool) error {
	names, err := d.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, keep := announced[name]; keep {
			continue
		}
		switch {
		case isTemporaryName(name):
			err = d.removeLeftover(name)
		case all:
			err = d.remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// The bits of st_mode that permissions are made of; the numbers are those of every Unix.
const (
	modePermissions = 0o777
	modeSetuid      = 0o4000
	modeSetgid      = 0o2000
	modeSticky      = 0o1000
	modeOwner       = 0o700
)

// goMode is the permissions of a Unix st_mode, without its file type.
func goMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & modePermissions)
	if mode&modeSetuid != 0 {
		m |= fs.ModeSetuid
	}
	if mode&modeSetgid != 0 {
		m |= fs.ModeSetgid
	}
	if mode&modeSticky != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// samePermissions reports whether an entry has a mode already, as far as this system keeps it.
func samePermissions(is fs.FileMode, want fs.FileMode) bool {
	if runtime.GOOS == "windows" {
		return is&0o200 == want&0o200 // nothing but read-only is kept
	}
	const kept = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return is&kept == want&kept
}
