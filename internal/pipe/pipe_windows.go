package pipe

import (
	"crypto/rand"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// New makes a pipe between this process and a child. ours is the end to write to if weWrite, else
// the one to read from. Windows' anonymous pipes, which os.Pipe returns, cannot have deadlines, so
// ours is a named one opened for overlapped use; the child's end is an ordinary blocking handle, as
// a program expects of its stdin and stdout.
func New(weWrite bool) (ours, theirs *os.File, err error) {
	name, err := windows.UTF16PtrFromString(`\\.\pipe\execnet-` + rand.Text())
	if err != nil {
		return nil, nil, err
	}
	our, their := uint32(windows.PIPE_ACCESS_INBOUND), uint32(windows.GENERIC_WRITE)
	if weWrite {
		our, their = windows.PIPE_ACCESS_OUTBOUND, windows.GENERIC_READ
	}
	const size = 64 << 10
	server, err := windows.CreateNamedPipe(name, our|windows.FILE_FLAG_OVERLAPPED|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_TYPE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS, 1, size, size, 0, nil)
	if err != nil {
		return nil, nil, os.NewSyscallError("CreateNamedPipe", err)
	}
	client, err := windows.CreateFile(name, their, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		windows.CloseHandle(server)
		return nil, nil, os.NewSyscallError("CreateFile", err)
	}
	return os.NewFile(uintptr(server), "pipe"), os.NewFile(uintptr(client), "pipe"), nil
}

var peekNamedPipe = windows.NewLazySystemDLL("kernel32.dll").NewProc("PeekNamedPipe")

// Buffered is the number of bytes that can be read from a pipe without waiting.
func Buffered(f *os.File) int {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	var n uint32
	err = conn.Control(func(h uintptr) {
		if ok, _, _ := peekNamedPipe.Call(h, 0, 0, 0, uintptr(unsafe.Pointer(&n)), 0); ok == 0 {
			n = 0
		}
	})
	if err != nil {
		return 0
	}
	return int(n)
}

// HungUp reports whether nothing more is written to the other end of a pipe. Windows tells that
// when all is read; it is true for a closed file, too.
func HungUp(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return true
	}
	var ended bool
	err = conn.Control(func(h uintptr) {
		ok, _, _ := peekNamedPipe.Call(h, 0, 0, 0, 0, 0)
		ended = ok == 0
	})
	return ended || err != nil
}
