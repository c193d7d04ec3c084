package pytest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

// local gives specs that start a process of this machine the folder to work in, as an absolute
// path. A spec with a chdir keeps that. A folder that is not there is an error, since a worker
// would make it.
func local(specs []*xspec.Spec, dir string) error {
	noted := map[string]bool{}
	for _, spec := range specs {
		if !spec.Local() {
			continue
		}
		if spec.ChDir == "" {
			absolute, err := filepath.Abs(dir)
			if err != nil {
				return fmt.Errorf("execnet: Dir %s: %w", dir, err)
			}
			if info, err := os.Stat(absolute); err != nil || !info.IsDir() {
				return fmt.Errorf("execnet: Dir %s is no folder: %s is meant, as the Go test runs in the folder of its package", dir, absolute)
			}
			spec.ChDir = absolute
		}
		if !noted[spec.ChDir] {
			noted[spec.ChDir] = true
			note(spec.ChDir)
		}
	}
	return nil
}

// note opens the folders of a suite, because go test takes a result from its cache only if what the
// test has opened is unchanged, and it does not see what Python opens.
func note(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != dir && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "__pycache__") {
			return fs.SkipDir
		}
		return nil // what cannot be opened is none of the suite
	})
}
