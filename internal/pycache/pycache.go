// Package pycache stores the Python sources that this module sends to local interpreters in the
// user's cache folder. An interpreter that imports them from there stores the compiled form beside
// them, which saves much of the time of a start.
package pycache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/go-execnet/execnet/xspec"
)

// Shared reports whether the interpreter most likely sees this user's files, and may write compiled
// ones.
func Shared(spec *xspec.Spec) bool {
	return spec.Local() && !spec.DontWriteBytecode
}

// Put stores a source as a module, unless it is stored already, and returns the folder to import it
// from. The folder's name begins with kind and contains the source's hash, so that programs with
// different releases of this module have different folders. Only the user can write to it.
func Put(kind, module, source string) (dir string, err error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(source))
	dir = filepath.Join(base, "go-execnet", kind+"-"+hex.EncodeToString(sum[:8]))
	return dir, install(dir, module+".py", source)
}

// install writes a file, unless it is there already, into a folder to which only the user can
// write. Nobody can read half of the file.
func install(dir, name, text string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := private(d); err != nil {
			return err
		}
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
