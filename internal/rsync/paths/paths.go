// Package paths has what both halves of rsync need of paths: which names are safe, and how errors
// and messages show a path.
package paths

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// UnsafeError is what a receiver ends with when the sender names something that is not plainly an
// entry of the destination: a name with a separator or a NUL in it, an empty one, "." or "..", or a
// path through something that is not a directory. Nothing has been written for that name. Python
// execnet's receiver joins such names to the destination and writes there.
type UnsafeError struct {
	Path    string // as the sender gave it, or where it leads outside the destination
	Problem string
}

// Error shows the path quoted, since it may hold anything.
func (e *UnsafeError) Error() string {
	return fmt.Sprintf("execnet: rsync: refusing the path %q of the sender: %s", e.Path, e.Problem)
}

// CheckName returns an *UnsafeError for what is not the name of one entry of a directory. No honest
// sender has such names. [Unfit] finds those that an honest one can have.
func CheckName(name string) error {
	problem := ""
	switch {
	case name == "":
		problem = "an empty name"
	case name == "." || name == "..":
		problem = "it leads elsewhere"
	case strings.IndexByte(name, 0) >= 0:
		problem = "a NUL in a name"
	case strings.IndexByte(name, '/') >= 0:
		problem = "a separator in a name"
	default:
		return nil
	}
	return &UnsafeError{name, problem}
}

// Wrap says what could not be done to which entry, with its whole path, since os.Root knows only a
// part of it. The system's error stays inside: errors.Is finds syscall.ENOSPC, fs.ErrPermission and
// so on. An *UnsafeError, which names a path, and nil are returned as they are.
func Wrap(doing, path string, err error) error {
	var unsafe *UnsafeError
	if err == nil || errors.As(err, &unsafe) {
		return err
	}
	return fmt.Errorf("execnet: rsync: %s %s: %w", doing, Printable(path), Bare(err))
}

// Bare strips the operation and the path from an error of package os.
func Bare(err error) error {
	var inPath *fs.PathError
	var inLink *os.LinkError
	switch {
	case errors.As(err, &inPath):
		return inPath.Err
	case errors.As(err, &inLink):
		return inLink.Err
	}
	return err
}

// Printable is a path as a message can show it: as it is, or quoted if it holds what a terminal or
// UTF-8 would not take.
func Printable(path string) string {
	quoted := fmt.Sprintf("%q", path)
	inside := quoted[1 : len(quoted)-1]
	if os.PathSeparator == '\\' {
		inside = strings.ReplaceAll(inside, `\\`, `\`)
	}
	if inside != path {
		return quoted
	}
	return path
}

// Join adds a name to a relative path with slashes, which is empty for the top.
func Join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
