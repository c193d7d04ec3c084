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

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// A file is written under a name of its own beside the one it will have, so that a sync which is
// killed leaves no half file under the real name: ".NAME.execnet-XXXXXXXX". The next sync of the
// directory removes those that were left.
//
// Another sync may be at work in the same directory. Whoever writes a temporary file holds the
// file's lock (flock) until the file has its real name, so a file that can be locked was left. The
// system drops the lock of a process that is killed. Where files cannot be locked, a file was left
// if nothing has changed it for leftoverAge.
const (
	temporaryMark = ".execnet-"
	leftoverAge   = time.Hour
)

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

// createTemporary makes a temporary file for what will be called name. It is locked until it is
// closed.
func (d *dir) createTemporary(name string) (f *os.File, temporary string, err error) {
	for {
		temporary = temporaryName(name)
		f, err = d.root.OpenFile(temporary, openToCreate, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil || claim(f) {
			return f, temporary, err
		}
		f.Close()
		_ = d.root.Remove(temporary) // who has locked it removes it too
	}
}

// claim locks a new temporary file. It reports false if another sync has locked the file since it
// was created, or has removed it.
func claim(f *os.File) bool {
	err := lock(f, exclusive)
	if errors.Is(err, errLocked) {
		return false
	}
	return err != nil || !isUnlinked(f)
}

// wasLeft reports whether nobody writes a temporary file any more, given what the attempt to lock
// it returned and when it was last changed.
func wasLeft(locking error, changed time.Time) bool {
	if errors.Is(locking, errLocked) {
		return false
	}
	return locking == nil || time.Since(changed) > leftoverAge
}

// removeLeftover removes what has the name of a temporary file, unless a sync is writing it. That
// it is not there is no error.
func (d *dir) removeLeftover(name string) error {
	info, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// The sync that has made a temporary link makes it again if it is missing.
	if err == nil && info.Mode().IsRegular() {
		f, err := d.root.OpenFile(name, openToRead, 0)
		changed := info.ModTime()
		if err == nil {
			defer f.Close() // which unlocks it: not before it is removed
			if id, err := wire.Identify(f); err == nil && id.CTime > changed.UnixNano() {
				changed = time.Unix(0, id.CTime)
			}
			// For an exclusive lock NFS asks for a file that is open for writing.
			err = lock(f, shared)
		}
		if !wasLeft(err, changed) {
			return nil
		}
	}
	return d.remove(name)
}
