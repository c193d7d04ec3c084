package pythons

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Program writes an executable file, mostly a shell script that stands in for another program, and
// returns its path. A test that runs beside others must not write one with os.WriteFile: a child
// forked meanwhile holds the file open for writing, and starting it fails with "text file busy".
func Program(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe" // only names with such an end are found there
	}
	path := filepath.Join(dir, name)
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte(text), 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
