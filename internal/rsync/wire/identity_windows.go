package wire

import (
	"errors"
	"os"
)

// CanIdentify is whether Identify works on this system.
const CanIdentify = false

// Identify fails: os.File tells too little on Windows.
func Identify(*os.File) (Identity, error) { return Identity{}, errors.ErrUnsupported }
