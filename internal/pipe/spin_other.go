//go:build !unix

package pipe

import (
	"errors"
	"os"
	"time"
)

// spinner is for systems whose pipes are read differently.
type spinner struct{}

func (*spinner) init(*os.File) {}

func (*spinner) possible() bool { return false }

func (*spinner) read([]byte, time.Time) (int, bool, error) { return 0, false, errors.ErrUnsupported }
