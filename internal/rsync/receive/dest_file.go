package receive

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// A file is written under a name of its own beside the one it will have, so that a sync which is
// killed leaves no half file under the real name: ".NAME.execnet-XXXXXXXX". The next sync of the
// directory removes those that were left.
const temporaryMark = ".execnet-"

var temporaryPattern = regexp.MustCompile(`(?s)^\..+\.execnet-[A-Z2-7]{8}$`)

// temporaryName returns a random name for what will be called name. Long names are cut: the
// shortest limit of a file system in use is 143 bytes (eCryptfs), the usual one 255.
func temporaryName(name string) string {
	const most = 100
	if len(name) > most {
		cut := most
		for cut > most-utf8.UTFMax && !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut]
	}
	return "." + name + temporaryMark + rand.Text()[:8]
}

func isTemporaryName(name string) bool {
	return strings.Contains(name, temporaryMark) && temporaryPattern.MatchString(name)
}

// newFile is a file being written. commit gives it its name, discard removes it.
type newFile struct {
	*os.File
	dir             *dir
	name, temporary string
}

// create begins a file that will be called name.
func (d *dir) create(name string) (*newFile, error) {
	for {
		temporary := temporaryName(name)
		f, err := d.root.OpenFile(temporary, openToCreate, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, paths.Wrap("cannot write", d.full(name), err)
		}
		return &newFile{f, d, name, temporary}, nil
	}
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
	err := f.setMode(mode)
	if closeErr := f.File.Close(); err == nil {
		err = closeErr // some file systems report a full disk only now
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
}

// discard closes and removes the file. It does nothing after commit.
func (f *newFile) discard() {
	if f.File.Close() == nil {
		_ = f.dir.root.Remove(f.temporary) // the next sync of the directory tries again
	}
}
