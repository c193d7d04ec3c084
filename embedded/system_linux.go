//go:build amd64 || arm64

package embedded

import (
	"fmt"
	"os"
	"runtime"
)

// loaders are the dynamic loaders of the GNU C library, by processor.
var loaders = map[string]string{"amd64": "/lib64/ld-linux-x86-64.so.2", "arm64": "/lib/ld-linux-aarch64.so.1"}

// checkSystem returns an error if the interpreter cannot run on this system. Starting it would fail
// with "no such file or directory", which looks as if the interpreter were missing.
func checkSystem() error {
	loader := loaders[runtime.GOARCH]
	if _, err := os.Stat(loader); err != nil {
		return fmt.Errorf("execnet: the Python inside this program needs the GNU C library, and this system does not have it: %w", err)
	}
	return nil
}
