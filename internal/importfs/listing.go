package importfs

import (
	"fmt"
	"io/fs"
	"path"
	"unicode/utf8"

	"github.com/go-execnet/execnet/internal/pyliteral"
)

// mostNames is how many names a folder may have.
const mostNames = 100_000

// list returns the names in a folder: those of folders with "/" behind them, and those of packages,
// which have an __init__.py, with "//". It follows links as fsys does, and leaves out what is
// neither a file nor a folder, and names that are not UTF-8.
func list(fsys fs.FS, folder string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, err
	}
	if len(entries) > mostNames {
		return nil, fmt.Errorf("the folder %s has %d names, and %d is the most", folder, len(entries), mostNames)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		name, kind := entry.Name(), entry.Type()
		if kind&fs.ModeSymlink != 0 {
			info, err := fs.Stat(fsys, path.Join(folder, name))
			if err != nil {
				continue // it leads nowhere
			}
			kind = info.Mode().Type()
		}
		switch {
		case !utf8.ValidString(name):
		case kind.IsRegular():
			names = append(names, name)
		case kind.IsDir() && pyliteral.IsIdentifier(name) && isFile(fsys, path.Join(folder, name, "__init__.py")):
			names = append(names, name+"//")
		case kind.IsDir():
			names = append(names, name+"/")
		}
	}
	return names, nil
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}
