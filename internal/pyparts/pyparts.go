// Package pyparts joins Python sources that are kept in parts and travel as one.
package pyparts

import (
	"io/fs"
	"strings"
)

// Join returns the source that the files of a folder make together, in the order of their names: a
// part may use at once what stands in those before it, and in its functions everything. The files
// are in the program, so if they cannot be read that is a fault of this module, and Join panics.
func Join(files fs.FS, folder string) string {
	names, err := fs.Glob(files, folder+"/*.py") // in the order of the names
	if err != nil || len(names) == 0 {
		panic("there are no parts in " + folder)
	}
	var parts []string
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic("what the program has in it cannot be read: " + err.Error())
		}
		parts = append(parts, string(text))
	}
	return strings.Join(parts, "\n\n")
}
