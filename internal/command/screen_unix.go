//go:build !windows

package command

import "os"

// showsEscapes reports whether a terminal understands escape sequences.
func showsEscapes(*os.File) bool { return true }
