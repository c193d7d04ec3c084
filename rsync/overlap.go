package rsync

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

// holds reports whether dest, as an interpreter of this machine sees it, is the directory source or
// one that source is in. It is false for a target that may be on another machine.
func holds(spec *xspec.Spec, dest, source string) bool {
	// A command of several words may run the interpreter elsewhere, as "docker exec" does.
	if !spec.Local() || strings.ContainsAny(spec.Python, " \t\n") {
		return false
	}
	if spec.ChDir != "" && !filepath.IsAbs(dest) {
		// filepath.Join would remove "..", which is wrong after a link.
		dest = spec.ChDir + string(filepath.Separator) + dest
	}
	there, err := os.Stat(dest)
	if err != nil {
		return false // it does not exist yet, so nothing is in it
	}
	dir, err := filepath.Abs(source)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return false // Send will report that
	}
	for {
		if here, err := os.Stat(dir); err == nil && os.SameFile(here, there) {
			return true
		}
		above := filepath.Dir(dir)
		if above == dir {
			return false
		}
		dir = above
	}
}
