//go:build unix

package gpython

import (
	"os"
	"syscall"

	"github.com/go-python/gpython/py"
	"golang.org/x/sys/unix"
)

// shellCommand is how the system runs a command that is one text.
func shellCommand(command string) []string { return []string{"/bin/sh", "-c", command} }

// waitStatus is what os.system returns.
func waitStatus(state *os.ProcessState) int {
	status, _ := state.Sys().(syscall.WaitStatus)
	return int(status)
}

var unameType = newType(py.TupleType, "posix.uname_result", "What system this is.")

// addUnixFunctions adds the functions of os that only Unix has.
func (in *interp) addUnixFunctions(globals py.StringDict) {
	for name, number := range map[string]func() int{"getuid": os.Getuid, "geteuid": os.Geteuid, "getgid": os.Getgid,
		"getegid": os.Getegid, "getpgrp": syscall.Getpgrp} {
		addNumber(globals, name, number)
	}
	add := func(name string, required int, call func(a []py.Object) (py.Object, error), parameters ...string) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, required, parameters...)
			if err != nil {
				return nil, err
			}
			return call(a)
		}}
	}
	add("getgroups", 0, func([]py.Object) (py.Object, error) {
		groups, err := os.Getgroups()
		list := py.NewList()
		for _, n := range groups {
			list.Append(py.Int(n))
		}
		return list, err
	})
	for name, get := range map[string]func(pid int) (int, error){"getpgid": syscall.Getpgid, "getsid": unix.Getsid} {
		add(name, 1, func(a []py.Object) (py.Object, error) {
			pid, err := py.IndexInt(a[0])
			if err != nil {
				return nil, err
			}
			n, err := get(pid)
			return py.Int(n), err
		}, "pid")
	}
	for name, send := range map[string]func(pid int, sig syscall.Signal) error{"kill": syscall.Kill, "killpg": func(group int, sig syscall.Signal) error { return syscall.Kill(-group, sig) }} {
		add(name, 2, func(a []py.Object) (py.Object, error) {
			pid, err := py.IndexInt(a[0])
			if err != nil {
				return nil, err
			}
			number, err := py.IndexInt(a[1])
			if err != nil {
				return nil, err
			}
			return py.None, send(pid, syscall.Signal(number))
		}, "pid", "signal")
	}
	add("umask", 1, func(a []py.Object) (py.Object, error) {
		mask, err := py.IndexInt(a[0])
		if err != nil {
			return nil, err
		}
		return py.Int(syscall.Umask(mask)), nil
	}, "mask")
	add("uname", 0, func([]py.Object) (py.Object, error) {
		var u unix.Utsname
		if err := unix.Uname(&u); err != nil {
			return nil, err
		}
		r := &namedTuple{class: unameType, fields: []string{"sysname", "nodename", "release", "version", "machine"}}
		for _, text := range [][]byte{u.Sysname[:], u.Nodename[:], u.Release[:], u.Version[:], u.Machine[:]} {
			r.Tuple = append(r.Tuple, py.String(unix.ByteSliceToString(text)))
		}
		return r, nil
	})
	for name, change := range map[string]func(path string, uid, gid int) error{"chown": os.Chown, "lchown": os.Lchown} {
		add(name, 3, func(a []py.Object) (py.Object, error) {
			if err := refuseFolderFD(name, a[3]); err != nil {
				return nil, err
			}
			follow, err := truth(a[4], true)
			if err != nil {
				return nil, err
			}
			path, err := pathArgument(name, "path", "string, bytes, os.PathLike or integer", a[0])
			if err != nil {
				return nil, err
			}
			var ids [2]int
			for i := range ids {
				if ids[i], err = py.IndexInt(a[1+i]); err != nil {
					return nil, err
				}
			}
			if !follow {
				change = os.Lchown
			}
			if err := change(path, ids[0], ids[1]); err != nil {
				return nil, aboutPath(err, a[0])
			}
			return py.None, nil
		}, "path", "uid", "gid", "dir_fd", "follow_symlinks")
	}
	add("access", 2, func(a []py.Object) (py.Object, error) {
		for _, o := range a[2:] {
			if o != nil {
				return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has os.access(path, mode) only")
			}
		}
		path, err := pathArgument("access", "path", "string, bytes, os.PathLike or integer", a[0])
		if err != nil {
			return nil, err
		}
		mode, err := py.IndexInt(a[1])
		if err != nil {
			return nil, err
		}
		return py.NewBool(unix.Access(path, uint32(mode)) == nil), nil
	}, "path", "mode", "dir_fd", "effective_ids", "follow_symlinks")
	add("mkfifo", 1, func(a []py.Object) (py.Object, error) {
		path, err := anyPath("mkfifo", a[0])
		if err != nil {
			return nil, err
		}
		mode := 0o666
		if a[1] != nil {
			if mode, err = py.IndexInt(a[1]); err != nil {
				return nil, err
			}
		}
		if err := unix.Mkfifo(path, uint32(mode)); err != nil {
			return nil, aboutPath(err, a[0])
		}
		return py.None, nil
	}, "path", "mode")
	for name, test := range map[string]func(w syscall.WaitStatus) py.Object{
		"WIFEXITED":              func(w syscall.WaitStatus) py.Object { return py.NewBool(w.Exited()) },
		"WEXITSTATUS":            func(w syscall.WaitStatus) py.Object { return py.Int(int(w) >> 8 & 0xff) },
		"WIFSIGNALED":            func(w syscall.WaitStatus) py.Object { return py.NewBool(w.Signaled()) },
		"WTERMSIG":               func(w syscall.WaitStatus) py.Object { return py.Int(int(w) & 0x7f) },
		"WCOREDUMP":              func(w syscall.WaitStatus) py.Object { return py.NewBool(int(w)&0x80 != 0) },
		"WIFSTOPPED":             func(w syscall.WaitStatus) py.Object { return py.NewBool(w.Stopped()) },
		"waitstatus_to_exitcode": waitCode,
	} {
		add(name, 1, func(a []py.Object) (py.Object, error) {
			n, err := py.IndexInt(a[0])
			if err != nil {
				return nil, err
			}
			return test(syscall.WaitStatus(n)), nil
		}, "status")
	}
	for name, value := range map[string]int{"O_NONBLOCK": unix.O_NONBLOCK, "O_SYNC": unix.O_SYNC, "O_CLOEXEC": unix.O_CLOEXEC,
		"O_DIRECTORY": unix.O_DIRECTORY, "O_NOFOLLOW": unix.O_NOFOLLOW, "O_NOCTTY": unix.O_NOCTTY} {
		globals[name] = py.Int(value)
	}
}

// waitCode is os.waitstatus_to_exitcode for a process that has ended.
func waitCode(w syscall.WaitStatus) py.Object {
	if w.Signaled() {
		return py.Int(-int(w.Signal()))
	}
	return py.Int(w.ExitStatus())
}

// rename is os.rename. Unlike Go's it leaves to the system what may be replaced.
func rename(from, to string) error {
	if err := syscall.Rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
