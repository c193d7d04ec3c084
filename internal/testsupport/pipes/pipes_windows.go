package pipes

import (
	"crypto/rand"
	"os"

	"golang.org/x/sys/windows"
)

// newPipe makes a pipe whose ends can have deadlines. On Windows those of os.Pipe cannot.
func newPipe() (r, w *os.File, err error) {
	name, err := windows.UTF16PtrFromString(`\\.\pipe\execnet-test-` + rand.Text())
	if err != nil {
		return nil, nil, err
	}
	const size = 64 << 10
	server, err := windows.CreateNamedPipe(name, windows.PIPE_ACCESS_INBOUND|windows.FILE_FLAG_OVERLAPPED,
		windows.PIPE_TYPE_BYTE|windows.PIPE_WAIT, 1, size, size, 0, nil)
	if err != nil {
		return nil, nil, os.NewSyscallError("CreateNamedPipe", err)
	}
	client, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OVERLAPPED, 0)
	if err != nil {
		windows.CloseHandle(server)
		return nil, nil, os.NewSyscallError("CreateFile", err)
	}
	return os.NewFile(uintptr(server), "pipe"), os.NewFile(uintptr(client), "pipe"), nil
}
