package tree

import "os"

// store has the system write what it holds of a file.
func store(f *os.File) error { return f.Sync() }
