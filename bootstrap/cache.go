package bootstrap

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-execnet/execnet/xspec"
)

// workerModule is the worker's name as a Python module.
const workerModule = "execnet_go_worker"

// sharesFiles reports whether the interpreter is likely to see this user's files, and may leave compiled ones there.
func sharesFiles(spec *xspec.Spec) bool {
	return spec.Popen && spec.Via == "" && !spec.DontWriteBytecode
}

// workerFolder is the folder of the user's cache that holds this very worker, made on the first call. Its name holds
// the source's hash, so that programs built with different releases do not disturb each other.
var workerFolder = sync.OnceValues(func() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(workerSource))
	dir := filepath.Join(base, "go-execnet", "worker-"+hex.EncodeToString(sum[:8]))
	return dir, install(dir, workerModule+".py", workerSource)
})

// install puts a file into a folder of the user's own and nobody else's, unless it is there. Readers never see half of it.
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
