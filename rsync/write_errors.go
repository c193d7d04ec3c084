package rsync

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// UnsafePathError is what a receiver ends with when the sender names something that is not plainly
// an entry of the destination: a name with a separator or a NUL in it, an empty one, "." or "..",
// or a path through something that is no directory. Nothing has been written for that name. The
// reference joins such names to the destination and writes there.
type UnsafePathError struct {
	Path   string // as the sender gave it, or the path below the destination where it leads astray
	Reason string
}

// Error shows the path quoted, since it may hold anything.
func (e *UnsafePathError) Error() string {
	return fmt.Sprintf("execnet: rsync: refusing the path %q of the sender: %s", e.Path, e.Reason)
}

// checkName refuses what is not the name of one entry of a directory on this system.
func checkName(name string) error {
	reason := ""
	switch {
	case name == "":
		reason = "an empty name"
	case name == "." || name == "..":
		reason = "it leads elsewhere"
	case strings.IndexByte(name, 0) >= 0:
		reason = "a NUL in a name"
	case strings.IndexByte(name, '/') >= 0 || strings.ContainsRune(name, filepath.Separator):
		reason = "a separator in a name"
	case !filepath.IsLocal(name):
		reason = "a reserved name on this system"
	default:
		return nil
	}
	return &UnsafePathError{name, reason}
}

// pathError says what could not be done to which entry, with its whole path, since os.Root knows
// only a part of it. What the system said stays inside: errors.Is finds syscall.ENOSPC,
// fs.ErrPermission and so on.
func pathError(doing, path string, err error) error {
	var unsafe *UnsafePathError
	if err == nil || errors.As(err, &unsafe) {
		return err
	}
	var inPath *fs.PathError
	var inLink *os.LinkError
	switch {
	case errors.As(err, &inPath):
		err = inPath.Err
	case errors.As(err, &inLink):
		err = inLink.Err
	}
	return fmt.Errorf("execnet: rsync: %s %s: %w", doing, printable(path), err)
}

// printable is a path as a message can show it: as it is, unless it holds what a terminal or UTF-8
// would not take.
func printable(path string) string {
	if quoted := fmt.Sprintf("%q", path); quoted[1:len(quoted)-1] != path {
		return quoted
	}
	return path
}
