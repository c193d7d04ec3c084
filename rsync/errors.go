package rsync

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// ErrNoTargets is what [RSync.Send] reports when no AddTarget came before it, or none since the
// last Send. In execnet RSync.send raises OSError then, unless its argument raises is false: a
// program that does not mind ignores this error.
var ErrNoTargets = errors.New("execnet: rsync: no targets; each Send needs its own AddTarget calls")

// TargetError is what [RSync.Send] reports of a target that does not have the whole tree; use
// errors.As with a *TargetError. If there are several, Send's error holds them all, and
// [RSync.Results] has each beside its target. errors.Is and errors.As also find what is in Err and
// Files.
type TargetError struct {
	// Gateway is the gateway's id.
	Gateway string
	// Dest is the directory as AddTarget was given it.
	Dest string
	// Err is what ended the sync there early: a *gatewaybase.GatewayDiedError, a
	// *gatewaybase.RemoteError with a traceback, a *StallError, a *ProtocolError, a *FileError such
	// as a full disk, or the error of Send's context. It is nil if all but Files went well.
	Err error
	// Files are the entries that could not be made. With Python's execnet at the target and Delete
	// they are directories that were left as they are there, since it would have deleted what could
	// not be read or announced.
	Files []*FileError
}

// Error names the gateway, the directory, and the first files.
func (e *TargetError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: rsync to %s of gateway %s", paths.Printable(e.Dest), e.Gateway)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", withoutPrefix(e.Err))
	}
	appendFiles(&b, e.Files)
	return b.String()
}

// Unwrap returns Err and Files.
func (e *TargetError) Unwrap() []error { return unwrapFiles(e.Err, e.Files) }

// SourceError is what [RSync.Send] reports when it could not read everything; the targets have the
// rest. Use errors.As with a *SourceError.
type SourceError struct {
	// Source is RSync.Source.
	Source string
	// Files are the files and directories that could not be read.
	Files []*FileError
}

// Error names the source and the first files.
func (e *SourceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: rsync from %s", paths.Printable(e.Source))
	appendFiles(&b, e.Files)
	return b.String()
}

// Unwrap returns Files.
func (e *SourceError) Unwrap() []error { return unwrapFiles(nil, e.Files) }

// FileError is what went wrong with one entry of the tree, at a target or at the source; use
// errors.As with a *FileError. A warning is one too.
type FileError struct {
	// Path is relative to the source, or at a target to its directory, with slashes; empty for the
	// top itself.
	Path string
	// Problem says what went wrong. From a target it begins with the POSIX name of the error if
	// there is one, as in "ENOSPC: no space left on device".
	Problem string
	// Err is the error itself if it happened in this process.
	Err error
}

// Error names the path and the problem.
func (e *FileError) Error() string { return "execnet: rsync: " + e.text() }

// Unwrap returns Err.
func (e *FileError) Unwrap() error { return e.Err }

func (e *FileError) text() string {
	path := e.Path
	if path == "" {
		path = "."
	}
	return paths.Printable(path) + ": " + e.Problem
}

// StallError is what ends the sync with a target that owes an answer and shows no sign of life; use
// errors.As with a *StallError.
type StallError struct {
	// After is RSync.StallTimeout: for how long nothing came.
	After time.Duration
}

// Error says for how long nothing came.
func (e *StallError) Error() string {
	return fmt.Sprintf("execnet: rsync: no progress for %v: given up (StallTimeout)", e.After)
}

// Timeout reports true, as for any timeout.
func (e *StallError) Timeout() bool { return true }

// ProtocolError is what ends the sync with a target that breaks the rules of the protocol
// ([protocol.md section 11]); use errors.As with a *ProtocolError. Its field Problem, a string,
// says how. Nothing was done for the item at fault.
//
// [protocol.md section 11]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#11-rsync
type ProtocolError = wire.ProtocolError

// withoutPrefix is an error's text as a part of another one that says that it is of execnet's
// rsync.
func withoutPrefix(err error) string {
	return strings.TrimPrefix(errtext.Of(err), "rsync: ")
}

// filesShown is how many files an error's text names.
const filesShown = 10

func appendFiles(b *strings.Builder, files []*FileError) {
	if len(files) == 0 {
		return
	}
	fmt.Fprintf(b, ": %d failed", len(files))
	for i, f := range files {
		if i == filesShown {
			fmt.Fprintf(b, "; and %d more", len(files)-i)
			break
		}
		fmt.Fprintf(b, "; %s", f.text())
	}
}

func unwrapFiles(first error, files []*FileError) []error {
	var all []error
	if first != nil {
		all = append(all, first)
	}
	for _, f := range files {
		all = append(all, f)
	}
	return all
}
