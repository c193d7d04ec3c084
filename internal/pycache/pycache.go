// Package pycache stores the Python sources that this module sends to interpreters in the user's
// cache folder. An interpreter that imports them from there stores the compiled form beside them,
// which saves much of the time of a start.
package pycache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/go-execnet/execnet/xspec"
)

// Shared reports whether the interpreter may well see this user's files, and may write compiled
// ones: it runs on this machine, or a launcher starts it, as in a cluster whose nodes share a home
// folder.
func Shared(spec *xspec.Spec) bool {
	return (spec.Local() || spec.Launches()) && !spec.DontWriteBytecode
}

// Put stores a source as a module, unless it is stored already, and returns the folder to import it
// from. The folder's name begins with kind and contains the source's hash, so that programs with
// different releases of this module have different folders. Only the user can write to it.
func Put(kind, module, source string) (dir string, err error) {
	base, err := Folder()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(source))
	dir = filepath.Join(base, kind+"-"+hex.EncodeToString(sum[:8]))
	return dir, install(dir, module+".py", source)
}

// Folder returns this module's folder in the user's cache folder. It may be missing: see Make.
func Folder() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "go-execnet"), nil
}

// Make makes a folder, and those above it, for this user alone. It returns an error if the folder
// or the one above it is there and others can write to it. It creates nothing in a place that
// belongs to somebody else: root, who has kept a user's HOME, would take the whole cache folder
// from that user.
func Make(dir string) error {
	if err := ownPlace(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return Check(dir)
}

// Check returns an error unless a folder and the one above it are this user's alone.
func Check(dir string) error {
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := private(d); err != nil {
			return err
		}
	}
	return nil
}

// Load is Python source that defines load(folder, module, source, name): it imports a module that
// Put has stored, and returns what has this name in it. If that fails in whatever way, it executes
// what source, a function, returns, which is the module's source, and takes the name from there: an
// interpreter may not see the folder (it runs in a container, or on another machine), and a full
// disk, a lost power supply or a damaged file system may have left any half of a compiled form,
// even one that imports well and lacks the name. Such a form is removed, so that the next start
// makes another one.
//
// A folder that is not the interpreter's user's alone is not used. On another machine its path may
// be somebody else's, and here another user, root among them, would leave files that the owner
// cannot replace.
//
// The compiled form is kept whatever PYTHONDONTWRITEBYTECODE says: that keeps folders of sources
// clean, and this is none. (A spec's dont_write_bytecode is obeyed; see Shared.)
//
// It imports nothing else: the user's folder, which is searched first, may have files named as
// modules of the standard library.
const Load = `import os, sys
def load(folder, module, source, name):
    keep = sys.dont_write_bytecode
    try:
        sys.path.insert(0, folder)
        state = os.lstat(folder)
        if not hasattr(os, "geteuid") or state.st_uid == os.geteuid() and not state.st_mode & 18:
            sys.dont_write_bytecode = False
            return getattr(__import__(module), name)
    except Exception:
        compiled = os.path.join(folder, module + ".py")
        system = sys.modules.get("_frozen_importlib_external")
        compiled = system.cache_from_source(compiled) if system else compiled + "c"  # Python 2
        try:
            os.remove(compiled)
        except OSError:
            pass
    finally:
        sys.path.remove(folder)
        sys.dont_write_bytecode = keep
    scope = {"__name__": module}
    exec(source(), scope)
    return scope[name]
`

// install writes a file, unless it is there already, into a folder to which only the user can
// write. Nobody can read half of the file.
func install(dir, name, text string) error {
	if err := Make(dir); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if have, err := os.ReadFile(path); err == nil && string(have) == text {
		return nil
	}
	f, err := os.CreateTemp(dir, name+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error is the first one
	}
	return err
}
