package worker

import (
	"os"

	"golang.org/x/sys/windows"
)

// takeStreams keeps stdin and stdout for the driver and gives the null device to everybody else:
// what a function prints must not get between the messages (protocol.md section 6.4).
func takeStreams() (*streams, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	own := newStreams(os.Stdin, os.Stdout)
	os.Stdin, os.Stdout = null, null
	for _, std := range []uint32{windows.STD_INPUT_HANDLE, windows.STD_OUTPUT_HANDLE} {
		if err := windows.SetStdHandle(std, windows.Handle(null.Fd())); err != nil {
			return nil, os.NewSyscallError("SetStdHandle", err)
		}
	}
	return own, nil
}

// shutdownWrite does nothing: on Windows stdout is a pipe, and closing it is enough.
func shutdownWrite(*os.File) {}
