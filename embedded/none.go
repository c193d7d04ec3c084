//go:build !((linux && (amd64 || arm64)) || (darwin && (amd64 || arm64)) || (windows && amd64))

package embedded

import (
	"fmt"
	"runtime"
)

// unpackPython says that there is nothing to unpack.
func unpackPython() (home string, err error) {
	return "", fmt.Errorf("execnet: package embedded has no Python for %s on %s; name an interpreter with python= or EXECNET_PYTHON", runtime.GOOS, runtime.GOARCH)
}
