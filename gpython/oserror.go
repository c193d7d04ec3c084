package gpython

// OSError and its classes. gpython v0.2.0 has the classes but gives them no errno, strerror and
// filename, and panics when OSError(2, "...") is shown. In CPython that is a FileNotFoundError with
// these attributes, and so is every error of the system. The errors of Go's os package become such
// exceptions here.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// The numbers that are the same on all systems.
const (
	eNoEntry   = 2
	eBadFile   = 9
	eAccess    = 13
	eExists    = 17
	eNotFolder = 20
	eIsFolder  = 21
)

// osClasses are the classes of the system's errors by their numbers. Others are OSError itself.
var osClasses = map[int]*py.Type{
	1: py.PermissionError, eNoEntry: py.FileNotFoundError, 3: py.ProcessLookupError, 4: py.InterruptedError,
	10: py.ChildProcessError, eAccess: py.PermissionError, eExists: py.FileExistsError, eNotFolder: py.NotADirectoryError,
	eIsFolder: py.IsADirectoryError, 32: py.BrokenPipeError,
	int(syscall.EAGAIN): py.BlockingIOError, int(syscall.EALREADY): py.BlockingIOError,
	int(syscall.EINPROGRESS): py.BlockingIOError, int(syscall.ECONNABORTED): py.ConnectionAbortedError,
	int(syscall.ECONNREFUSED): py.ConnectionRefusedError, int(syscall.ECONNRESET): py.ConnectionResetError,
	int(syscall.ETIMEDOUT): py.TimeoutError,
}

func init() {
	for _, class := range osClasses {
		class.New = newOSError
	}
	py.OSError.New, py.ConnectionError.New = newOSError, newOSError
	py.OSError.Dict["filename2"] = py.None
}

// newOSError is OSError(errno, strerror, filename, winerror, filename2), which makes an instance of
// the class for the number.
func newOSError(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(kwargs) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", class.Name)
	}
	e := newException(class, append(py.Tuple(nil), args...)...)
	if len(args) < 2 || len(args) > 5 {
		return e, nil
	}
	if number, ok := args[0].(py.Int); ok && class == py.OSError && osClasses[int(number)] != nil {
		e.Base = osClasses[int(number)]
	}
	takeFiles(e)
	return e, nil
}

// takeFiles makes attributes of the files among the arguments of an OSError.
func takeFiles(e *py.Exception) {
	args, _ := e.Args.(py.Tuple)
	if len(args) < 3 || len(args) > 5 || args[2] == py.None {
		return
	}
	e.Dict["filename"] = args[2]
	if len(args) > 4 && args[4] != py.None {
		e.Dict["filename2"] = args[4]
	}
	e.Args = args[:2]
}

// numberedError is the exception for an error of the system, and for the files that it is about.
func numberedError(number int, text string, files ...string) *py.Exception {
	args := py.Tuple{py.Int(number), py.String(text)}
	for i, file := range files {
		if i > 0 {
			args = append(args, py.None)
		}
		args = append(args, py.String(file))
	}
	o, _ := newOSError(py.OSError, args, nil) // it fails for keywords only
	return o.(*py.Exception)
}

// systemError is the exception for a Go error that comes from the system, or nil if err does not.
func systemError(err error) *py.Exception {
	var ofPath *fs.PathError
	var ofLink *os.LinkError
	var ofCall *os.SyscallError
	var number syscall.Errno
	var files []string
	switch {
	case errors.As(err, &ofPath):
		files = []string{ofPath.Path}
	case errors.As(err, &ofLink):
		files = []string{ofLink.Old, ofLink.New}
	case !errors.As(err, &ofCall) && !errors.As(err, &number):
		return nil
	}
	if !errors.As(err, &number) {
		return newException(py.OSError, py.String(err.Error()))
	}
	return numberedError(posixNumber(number), errorText(int(number)), files...)
}

// errorText is os.strerror: the system's words for an error.
func errorText(number int) string {
	text := syscall.Errno(number).Error()
	switch {
	case number == 0:
		return "Success"
	case strings.HasPrefix(text, "errno "):
		return fmt.Sprintf("Unknown error %d", number)
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// aboutPath is the exception for a Go error that comes from the system, with the path that the
// program gave: CPython names it as it was given, str or bytes.
func aboutPath(err error, path py.Object) error {
	if e := systemError(err); e != nil {
		if given, err := fsPath(path); err == nil {
			path = given
		}
		e.Dict["filename"] = path
		delete(e.Dict, "filename2")
		return e
	}
	return err
}

// posixNumber is the number by which Python knows an error. Windows has others of its own.
func posixNumber(number syscall.Errno) int {
	if runtime.GOOS == "windows" {
		switch {
		case number.Is(fs.ErrNotExist):
			return eNoEntry
		case number.Is(fs.ErrExist):
			return eExists
		case number.Is(fs.ErrPermission):
			return eAccess
		}
	}
	return int(number)
}
