package source

import "io/fs"

const openWithoutWaiting = 0

// The file types of st_mode.
const (
	typeDir     = 0o040000
	typeRegular = 0o100000
)

// unixMode is the st_mode that Python would show for an entry.
func unixMode(info fs.FileInfo) uint32 {
	mode := uint32(info.Mode().Perm())
	if info.IsDir() {
		return typeDir | mode | 0o111
	}
	return typeRegular | mode
}
