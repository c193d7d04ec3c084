package rsync

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// reporter calls the program's functions, and keeps what is wrong with the source.
type reporter struct {
	mu       sync.Mutex // held during the program's functions: one call at a time
	callback func(Event)
	verbose  io.Writer

	keeping  sync.Mutex // guards what follows
	warnings []*FileError
	failed   []*FileError
	known    map[[2]string]struct{} // paths and problems that are in either
}

// events gives the program events.
func (r *reporter) events(events []Event) {
	for _, e := range events {
		if r.callback != nil {
			r.call(func() { r.callback(e) })
		}
	}
}

// sending announces that a target gets a file.
func (r *reporter) sending(t *target, path string, size int64) {
	if r.callback == nil && r.verbose == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.verbose != nil {
		// That a line cannot be written is no reason to stop.
		_, _ = fmt.Fprintf(r.verbose, "%v <= %s\n", t.gw, paths.Printable(path))
	}
	if r.callback != nil {
		r.callback(t.event(EventSend, path, size))
	}
}

// call calls a function of the program.
func (r *reporter) call(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// isNew notes what is wrong with an entry, and reports whether it was not known: a tree that is
// walked for both protocols has the same problems twice. The caller holds keeping.
func (r *reporter) isNew(e *FileError) bool {
	key := [2]string{e.Path, e.Problem}
	if _, known := r.known[key]; known {
		return false
	}
	if r.known == nil {
		r.known = make(map[[2]string]struct{})
	}
	r.known[key] = struct{}{}
	return true
}

// fail keeps what makes Send report a SourceError.
func (r *reporter) fail(e *FileError) {
	r.keeping.Lock()
	defer r.keeping.Unlock()
	if r.isNew(e) {
		r.failed = append(r.failed, e)
	}
}

// warn keeps what is unusual about the source but no error, and tells the program.
func (r *reporter) warn(e *FileError) {
	r.keeping.Lock()
	isNew := r.isNew(e)
	if isNew {
		r.warnings = append(r.warnings, e)
	}
	r.keeping.Unlock()
	if isNew {
		r.events([]Event{{Kind: EventWarning, Path: e.Path, Err: e}})
	}
}

// Warn implements source.Report.
func (r *reporter) Warn(path, problem string) { r.warn(&FileError{Path: path, Problem: problem}) }

// Unreadable implements source.Report. That an entry has vanished is no error.
func (r *reporter) Unreadable(path string, err error) {
	err = paths.Bare(err)
	e := &FileError{Path: path, Problem: err.Error(), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Problem = "vanished before it could be sent"
		r.warn(e)
		return
	}
	r.fail(e)
}

// sourceError is what Send reports of the source.
func (r *reporter) sourceError(source string) error {
	r.keeping.Lock()
	defer r.keeping.Unlock()
	if len(r.failed) == 0 {
		return nil
	}
	return &SourceError{Source: source, Files: r.failed}
}

func (r *reporter) sourceWarnings() []*FileError {
	r.keeping.Lock()
	defer r.keeping.Unlock()
	return append([]*FileError(nil), r.warnings...)
}
