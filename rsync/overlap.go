package rsync

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

// holds reports whether dest, as an interpreter of this machine sees it, is the directory source or
// one that source lies in. Of other machines it knows nothing.
func holds(spec *xspec.Spec, dest, source string) bool {
	// A command of several words may lead elsewhere, as "docker exec" does.
	if !spec.Local() || strings.ContainsAny(spec.Python, " \t\n") {
		return false
	}
	if spec.ChDir != "" && !filepath.IsAbs(dest) {
		dest = spec.ChDir + string(filepath.Separator) + dest // not joined, since ".." behind a link is no matter of spelling
	}
	there, err := os.Stat(dest)
	if err != nil {
		return false // it is still to be made, so nothing is in it
	}
	dir, err := filepath.Abs(source)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return false // which Send reports
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
