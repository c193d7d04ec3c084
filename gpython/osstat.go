package gpython

// os.stat and what belongs to it. gpython v0.2.0 has none. The result is CPython's: a tuple of ten
// whole numbers, with the exact times and the rest as attributes.

import (
	"io/fs"
	"os"
	"time"

	"github.com/go-python/gpython/py"
)

var statResultType = newType(py.TupleType, "os.stat_result", "What is known of a file.")

var statFields = []string{"st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime", "st_mtime", "st_ctime"}

// fileKinds are the bits of st_mode for what is no plain file.
var fileKinds = map[fs.FileMode]int{
	fs.ModeDir: 0o040000, fs.ModeSymlink: 0o120000, fs.ModeNamedPipe: 0o010000, fs.ModeSocket: 0o140000,
	fs.ModeDevice: 0o060000, fs.ModeDevice | fs.ModeCharDevice: 0o020000,
}

// modeBits are a file's kind and permissions as Python has them in st_mode.
func modeBits(mode fs.FileMode) int {
	bits, special := fileKinds[mode&fs.ModeType]
	if !special {
		bits = 0o100000
	}
	bits |= int(mode.Perm())
	for flag, bit := range map[fs.FileMode]int{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// goMode is the reverse for permissions: what Go's functions take for a number that a program gave.
func goMode(bits int) fs.FileMode {
	mode := fs.FileMode(bits) & fs.ModePerm
	for flag, bit := range map[fs.FileMode]int{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if bits&bit != 0 {
			mode |= flag
		}
	}
	return mode
}

// fileFacts is what systems know of a file beyond fs.FileInfo.
type fileFacts struct {
	inode, device, links uint64
	uid, gid             uint32
	accessed, changed    time.Time
	more                 map[string]int64 // what this system has besides, by its name in Python
}

// statResult is what os.stat gives.
func statResult(info fs.FileInfo) *namedTuple {
	facts := factsOf(info)
	modified := info.ModTime()
	r := &namedTuple{class: statResultType, fields: statFields, more: py.StringDict{}}
	for _, n := range []int64{int64(modeBits(info.Mode())), int64(facts.inode), int64(facts.device), int64(facts.links),
		int64(facts.uid), int64(facts.gid), info.Size(), facts.accessed.Unix(), modified.Unix(), facts.changed.Unix()} {
		r.Tuple = append(r.Tuple, py.Int(n))
	}
	for name, at := range map[string]time.Time{"st_atime": facts.accessed, "st_mtime": modified, "st_ctime": facts.changed} {
		r.more[name] = py.Float(float64(at.Unix()) + 1e-9*float64(at.Nanosecond()))
		r.more[name+"_ns"] = py.Int(at.UnixNano())
	}
	for name, n := range facts.more {
		r.more[name] = py.Int(n)
	}
	return r
}

// addStat gives os stat, lstat and fstat.
func (in *interp) addStat(globals py.StringDict) {
	stats := func(name string, info func(path string, follow bool) (fs.FileInfo, error)) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "path", "dir_fd", "follow_symlinks")
			if err != nil {
				return nil, err
			}
			follow, err := truth(a[2], true)
			if err != nil {
				return nil, err
			}
			if err := refuseFolderFD(name, a[1]); err != nil {
				return nil, err
			}
			if fd, ok := a[0].(py.Int); ok && name == "stat" {
				return in.statDescriptor(int(fd))
			}
			path, err := pathArgument(name, "path", "string, bytes, os.PathLike or integer", a[0])
			if err != nil {
				return nil, err
			}
			got, err := info(path, follow)
			if err != nil {
				return nil, aboutPath(err, a[0])
			}
			return statResult(got), nil
		}}
	}
	stats("stat", func(path string, follow bool) (fs.FileInfo, error) {
		if follow {
			return os.Stat(path)
		}
		return os.Lstat(path)
	})
	stats("lstat", func(path string, _ bool) (fs.FileInfo, error) { return os.Lstat(path) })
	globals["fstat"] = &function{"fstat", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("fstat", args, kwargs, 1, "fd")
		if err != nil {
			return nil, err
		}
		fd, err := py.IndexInt(a[0])
		if err != nil {
			return nil, err
		}
		return in.statDescriptor(fd)
	}}
	globals["stat_result"] = statResultType
}

func (in *interp) statDescriptor(fd int) (py.Object, error) {
	f := in.descriptor(fd)
	if f == nil {
		return nil, badDescriptor()
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return statResult(info), nil
}

// refuseFolderFD refuses paths relative to a descriptor.
func refuseFolderFD(name string, o py.Object) error {
	if o == nil || o == py.None {
		return nil
	}
	return py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no os.%s(dir_fd=...)", name)
}
