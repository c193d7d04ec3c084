package rsync

import (
	"fmt"
	"strings"
	"time"
)

// FileError is what went wrong with one entry.
type FileError struct {
	// Path is relative to the source, or at a target to its directory, with slashes; empty for the
	// top itself.
	Path string
	// Problem says what; from a target it begins with the POSIX name of the error if there is one,
	// as in "ENOSPC: ...".
	Problem string
	// Err is the error itself where it happened in this process.
	Err error
}

// Error names the path and the problem.
func (e *FileError) Error() string {
	path := e.Path
	if path == "" {
		path = "."
	}
	return printable(path) + ": " + e.Problem
}

// Unwrap returns Err.
func (e *FileError) Unwrap() error { return e.Err }

// TargetError is what Send reports of a target that does not have the whole tree.
type TargetError struct {
	// Gateway is the gateway's id.
	Gateway string
	// Dest is the directory as AddTarget was given it.
	Dest string
	// Err is what ended the sync there early: a gatewaybase.GatewayDiedError, a
	// gatewaybase.RemoteError with a traceback, a StallError, a ProtocolError, a FileError such as
	// a full disk, or the error of Send's context. It is nil if all but Files went well.
	Err error
	// Files are the entries that could not be made. With Python's execnet at the target and Delete
	// they are directories that were left as they are there, since it would have deleted what could
	// not be read or announced.
	Files []FileError
}

// filesShown is how many files an error's text names.
const filesShown = 10

// Error names the gateway, the directory, and the first files.
func (e *TargetError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: rsync to %s of gateway %s", printable(e.Dest), e.Gateway)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	appendFiles(&b, e.Files)
	return b.String()
}

// Unwrap gives errors.Is and errors.As the early end and the files.
func (e *TargetError) Unwrap() []error { return unwrapFiles(e.Err, e.Files) }

// SourceError is what Send reports when it could not read everything; the targets have the rest.
type SourceError struct {
	// Source is RSync.Source.
	Source string
	// Files are the files and directories that could not be read.
	Files []FileError
}

// Error names the source and the first files.
func (e *SourceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: rsync from %s", printable(e.Source))
	appendFiles(&b, e.Files)
	return b.String()
}

// Unwrap gives errors.Is and errors.As the files.
func (e *SourceError) Unwrap() []error { return unwrapFiles(nil, e.Files) }

func appendFiles(b *strings.Builder, files []FileError) {
	if len(files) == 0 {
		return
	}
	fmt.Fprintf(b, ": %d failed", len(files))
	for i := range files {
		if i == filesShown {
			fmt.Fprintf(b, "; and %d more", len(files)-i)
			break
		}
		fmt.Fprintf(b, "; %v", &files[i])
	}
}

func unwrapFiles(first error, files []FileError) []error {
	var all []error
	if first != nil {
		all = append(all, first)
	}
	for i := range files {
		all = append(all, &files[i])
	}
	return all
}

// StallError is what ends the sync with a target that owes an answer and shows no sign of life.
type StallError struct{ After time.Duration }

// Error tells for how long nothing came.
func (e *StallError) Error() string {
	return fmt.Sprintf("no progress for %v: given up (StallTimeout)", e.After)
}

// Timeout reports true, as for any timeout.
func (e *StallError) Timeout() bool { return true }
