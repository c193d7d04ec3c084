package command

import (
	"os"

	"golang.org/x/sys/windows"
)

// showsEscapes has a console understand escape sequences, and reports whether it can.
func showsEscapes(console *os.File) bool {
	var mode uint32
	handle := windows.Handle(console.Fd())
	return windows.GetConsoleMode(handle, &mode) == nil &&
		windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
