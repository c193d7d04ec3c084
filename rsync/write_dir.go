package rsync

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
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
		return nil, pathError("cannot open", path, err)
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
	return info, pathError("cannot look at", d.full(name), err)
}

// clone opens the directory once more.
func (d *dir) clone() (*dir, error) {
	root, err := d.root.OpenRoot(".")
	if err != nil {
		return nil, pathError("cannot open", d.path, err)
	}
	return &dir{root, d.path}, nil
}

// sub opens a directory in this one. Anything else there, a link to a directory above all, is an
// UnsafePathError: it was not announced as a directory, or was exchanged since.
func (d *dir) sub(name string) (*dir, error) {
	path := d.full(name)
	before, err := d.root.Lstat(name)
	if err != nil {
		return nil, pathError("cannot open", path, err)
	}
	if !before.IsDir() {
		return nil, &UnsafePathError{path, "it is no directory"}
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, pathError("cannot open", path, err)
	}
	// OpenRoot follows a link that took the directory's place after we looked.
	after, err := root.Stat(".")
	if err == nil && !os.SameFile(before, after) {
		err = &UnsafePathError{path, "it was replaced while in use"}
	}
	if err != nil {
		root.Close()
		return nil, pathError("cannot open", path, err)
	}
	return &dir{root, path}, nil
}

// makeDir sees to it that there is a directory of that name, replaces what is in its way, and tells
// whether it is a new one. Its mode is set to what mode says when the directory may be written to
// and listed in all that its owner does; a mode of 0 leaves it as it is, and so does a directory
// that is somebody else's and may yet be open to us.
func (d *dir) makeDir(name string, mode uint32) (created bool, err error) {
	info, err := d.lstat(name)
	if err != nil {
		return false, err
	}
	if info != nil && !info.IsDir() {
		if err := d.remove(name); err != nil {
			return false, err
		}
		info = nil
	}
	want := goMode(mode) | modeOwner
	if info == nil {
		perm := want.Perm()
		if mode == 0 {
			perm = fs.ModePerm // as the user's mask has it
		}
		if err := d.root.Mkdir(name, perm); err != nil {
			return false, pathError("cannot make the directory", d.full(name), err)
		}
		if info, err = d.root.Lstat(name); err != nil {
			return false, pathError("cannot look at", d.full(name), err)
		}
		created = true
	}
	if mode != 0 && !samePermissions(info.Mode(), want) {
		if err := d.root.Chmod(name, want); err != nil && created {
			return created, pathError("cannot set the mode of", d.full(name), err)
		}
	}
	return created, nil
}

// symlink makes a symbolic link, and tells whether it had to: not if the same is there.
func (d *dir) symlink(name, target string) (made bool, err error) {
	info, err := d.lstat(name)
	if err != nil {
		return false, err
	}
	if info != nil && info.Mode()&fs.ModeSymlink != 0 {
		if is, err := d.root.Readlink(name); err == nil && is == target {
			return false, nil
		}
	}
	if info != nil && info.IsDir() {
		if err := d.remove(name); err != nil {
			return false, err
		}
	}
	for {
		temporary := temporaryName(name)
		err := d.root.Symlink(target, temporary)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			if err = d.root.Rename(temporary, name); err != nil {
				_ = d.root.Remove(temporary) // the error that matters is the other
			}
		}
		return err == nil, pathError("cannot make the symbolic link", d.full(name), err)
	}
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
	return pathError("cannot set mode and time of", d.full(name), err)
}

// settle gives the directory itself its mode and time, once nothing more is done in it.
func (d *dir) settle(mode uint32, mtime int64) error {
	info, err := d.root.Stat(".")
	if err == nil && !sameTime(info, mtime) {
		err = d.root.Chtimes(".", time.Time{}, time.Unix(0, mtime))
	}
	if err == nil && !samePermissions(info.Mode(), goMode(mode)) {
		err = d.root.Chmod(".", goMode(mode))
	}
	return pathError("cannot set mode and time of", d.path, err)
}

// remove removes an entry and all below it; one that is not there is fine.
func (d *dir) remove(name string) error {
	err := d.root.RemoveAll(name)
	if errors.Is(err, fs.ErrPermission) {
		d.unlock(name)
		err = d.root.RemoveAll(name)
	}
	return pathError("cannot remove", d.full(name), err)
}

// unlock lets the owner empty a directory and those below it. It goes on after errors: removing
// will report them.
func (d *dir) unlock(name string) {
	if info, err := d.root.Lstat(name); err != nil || !info.IsDir() || d.root.Chmod(name, modeOwner) != nil {
		return
	}
	sub, err := d.sub(name)
	if err != nil {
		return
	}
	defer sub.close()
	names, err := sub.names()
	if err != nil {
		return
	}
	for _, name := range names {
		sub.unlock(name)
	}
}

// regular opens what was a regular file.
func (d *dir) regular(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, readOnly, 0)
	return f, pathError("cannot read", d.full(name), err)
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
	return nil, pathError("cannot list", d.path, err)
}

// clean removes what killed syncs left behind, and, if all is set, every entry that was not
// announced.
func (d *dir) clean(announced map[string]struct{}, all bool) error {
	names, err := d.names()
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, keep := announced[name]
		return keep || !all && !isTemporaryName(name)
	})
	for _, name := range names {
		if err := d.remove(name); err != nil {
			return err
		}
	}
	return nil
}
