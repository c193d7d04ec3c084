package receive

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Not every name that a sender can have is one here. Windows knows names that are devices, and
// where names differ by case alone, two of the sender's can be one here. Such an entry fails alone,
// and so do all in it.

// Naming is what the receiver's system says of names. Tests pretend another one than there is.
type Naming struct {
	// Unfit says why no entry can have a name; empty if one can.
	Unfit func(name string) string
	// FoldsCase is whether names that differ by case alone are known to be one. If it is not set,
	// that is tried where such names come.
	FoldsCase bool
}

// isOneName finds out whether two names are one in a new directory within this one. If that cannot
// be tried they are taken for two.
func (d *dir) isOneName(a, b string) bool {
	probe := temporaryName("names")
	if d.root.Mkdir(probe, 0o700) != nil {
		return false
	}
	defer func() { _ = d.remove(probe) }() // otherwise a later sync does it
	f, err := d.root.OpenFile(filepath.Join(probe, a), openToCreate, 0o600)
	if err != nil {
		return false
	}
	f.Close()
	_, err = d.root.Lstat(filepath.Join(probe, b))
	_ = d.root.Remove(filepath.Join(probe, a)) // remove reports nothing either
	return err == nil
}

// misfit says why a member of a directory cannot have its name; empty if it can.
func (r *receiver) misfit(parent *folder, name string) string {
	if problem := r.naming.Unfit(name); problem != "" {
		return problem
	}
	key := strings.ToLower(name)
	other, known := parent.folded[key]
	if !known {
		parent.folded[key] = name
		return ""
	}
	one := r.naming.FoldsCase
	switch {
	case one:
	case r.dryRun: // nothing may be made to try it
		one = runtime.GOOS == "windows" || runtime.GOOS == "darwin"
	case !parent.missing:
		// That the directory cannot be opened is found when something is written to it.
		_ = r.tree.in(&parent.place, func(d *dir) error { one = d.isOneName(other, name); return nil })
	}
	if !one {
		return ""
	}
	return sameNameProblem(other, name)
}

func sameNameProblem(a, b string) string {
	return fmt.Sprintf("EEXIST: %q and %q are one name here", a, b)
}
