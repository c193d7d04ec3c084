package receive

import (
	"os"
	"time"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// newFile is a file being written. commit gives it its name, discard removes it.
type newFile struct {
	*os.File
	dir             *dir
	name, temporary string
}

// create begins a file that will be called name.
func (d *dir) create(name string) (*newFile, error) {
	f, temporary, err := d.createTemporary(name)
	if err != nil {
		return nil, paths.Wrap("cannot write", d.full(name), err)
	}
	return &newFile{f, d, name, temporary}, nil
}

// write makes a file of its whole content; mode and time are those of newFile.commit.
func (d *dir) write(name string, content []byte, mode uint32, mtime time.Time) error {
	f, err := d.create(name)
	if err != nil {
		return err
	}
	defer f.discard()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.commit(mode, mtime)
}

// Write writes; its error names the file by the name it will have.
func (f *newFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	return n, paths.Wrap("cannot write", f.dir.full(f.name), err)
}

// commit completes the file and gives it its permissions, its time of modification and its name. A
// mode of 0 means the permissions of the file it replaces, or if there is none the owner's alone;
// the zero time means now. Whether it succeeds or not, the temporary file is gone.
func (f *newFile) commit(mode uint32, mtime time.Time) error {
	defer f.File.Close() // last, as this unlocks it
	err := f.setMode(mode)
	if err == nil {
		err = flush(f.File)
	}
	if err == nil && !mtime.IsZero() {
		err = f.dir.root.Chtimes(f.temporary, time.Time{}, mtime)
	}
	if err == nil {
		err = f.takeName()
	}
	if err != nil {
		_ = f.dir.root.Remove(f.temporary) // the error that matters is the other
	}
	return paths.Wrap("cannot write", f.dir.full(f.name), err)
}

func (f *newFile) setMode(mode uint32) error {
	if mode != 0 {
		return f.File.Chmod(goMode(mode))
	}
	if info, err := f.dir.root.Lstat(f.name); err == nil && info.Mode().IsRegular() {
		return f.File.Chmod(info.Mode())
	}
	return nil
}

// takeName renames the file, replacing what has its name.
func (f *newFile) takeName() error {
	return patiently(func() error {
		err := f.dir.root.Rename(f.temporary, f.name)
		if err == nil {
			return nil
		}
		if info, lstatErr := f.dir.root.Lstat(f.name); lstatErr != nil || !info.IsDir() {
			return err
		}
		if err := f.dir.remove(f.name); err != nil {
			return err
		}
		return f.dir.root.Rename(f.temporary, f.name)
	})
}

// discard closes and removes the file. It does nothing after commit.
func (f *newFile) discard() {
	if f.File.Close() == nil {
		_ = f.dir.root.Remove(f.temporary) // the next sync of the directory tries again
	}
}
