// Package pycache keeps the Python sources that this module sends to local interpreters in the
// user's cache folder: an interpreter that imports them from there keeps the compiled form beside
// them, and compiling takes longer than much of what they do.
package pycache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/go-execnet/execnet/xspec"
)

// Shared reports whether the interpreter is likely to see this user's files, and may leave compiled
// ones there.
func Shared(spec *xspec.Spec) bool {
	return spec.Local() && !spec.DontWriteBytecode
}

// Put makes sure that a source is there as a module, and returns the folder to import it from. The
// folder's name begins with kind and holds the source's hash, so that programs built with different
// releases do not disturb each other; it belongs to the user and nobody else.
func Put(kind, module, source string) (dir string, err error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(source))
	dir = filepath.Join(base, "go-execnet", kind+"-"+hex.EncodeToString(sum[:8]))
	return dir, install(dir, module+".py", source)
}

// install puts a file into a folder of the user's own and nobody else's, unless it is there.
// Readers never see half of it.
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
