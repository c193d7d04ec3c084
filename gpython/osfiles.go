package gpython

// The functions of os about files and folders, with os.walk. gpython v0.2.0 has a few of them and
// no stat; its remove also removes a folder, and its errors do not tell what failed. CPython raises
// an OSError with errno and file name, which programs look at.

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-python/gpython/py"
)

// addFileFunctions adds the functions of os that are about files and folders. gpython's own remove
// a folder as well as a file, and tell nothing of why they fail.
func addFileFunctions(globals py.StringDict) {
	add := func(name string, f func(path string) (py.Object, error)) {
		globals[name] = pathFunction(name, f)
	}
	add("chdir", func(p string) (py.Object, error) { return py.None, os.Chdir(p) })
	add("rmdir", func(p string) (py.Object, error) { return py.None, removeFolder(p) })
	add("removedirs", func(p string) (py.Object, error) {
		err := removeFolder(p)
		for at := filepath.Dir(filepath.Clean(p)); err == nil; at = filepath.Dir(at) {
			if removeFolder(at) != nil {
				break // it is not empty, or not ours
			}
		}
		return py.None, err
	})
	for name, stat := range map[string]func(path string) (os.FileInfo, error){"stat": os.Stat, "lstat": os.Lstat} {
		add(name, func(p string) (py.Object, error) {
			info, err := stat(p)
			if err != nil {
				return nil, err
			}
			return statResult(info), nil
		})
	}
	for _, name := range []string{"remove", "unlink"} {
		add(name, func(p string) (py.Object, error) {
			if info, err := os.Lstat(p); err == nil && info.IsDir() {
				return nil, numberedError(eIsFolder, "Is a directory", p)
			}
			return py.None, os.Remove(p)
		})
	}
	for _, name := range []string{"rename", "replace"} {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 2, "src", "dst")
			if err != nil {
				return nil, err
			}
			from, err := anyPath(name, a[0])
			if err != nil {
				return nil, err
			}
			to, err := anyPath(name, a[1])
			if err != nil {
				return nil, err
			}
			return py.None, os.Rename(from, to)
		}}
	}
	for name, f := range map[string]func(args py.Tuple, kwargs py.StringDict) (py.Object, error){
		"mkdir": makeFolder, "makedirs": makeFolders, "listdir": listFolder, "walk": walk,
	} {
		globals[name] = &function{name, f}
	}
	for name, wrap := range map[string]func(dir string) py.Object{
		"getcwd":  func(dir string) py.Object { return py.String(dir) },
		"getcwdb": func(dir string) py.Object { return py.Bytes(dir) },
	} {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if _, err := arguments(name, args, kwargs, 0); err != nil {
				return nil, err
			}
			dir, err := os.Getwd()
			return wrap(dir), err
		}}
	}
}

// pathFunction is a function of one path.
func pathFunction(name string, f func(path string) (py.Object, error)) *function {
	return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments(name, args, kwargs, 1, "path")
		if err != nil {
			return nil, err
		}
		path, err := anyPath(name, a[0])
		if err != nil {
			return nil, err
		}
		return f(path)
	}}
}

// anyPath is a path that a program gave as str or bytes.
func anyPath(name string, o py.Object) (string, error) {
	switch p := o.(type) {
	case py.String:
		return string(p), nil
	case py.Bytes:
		return string(p), nil
	}
	return "", py.ExceptionNewf(py.TypeError, "%s: path should be string, bytes or os.PathLike, not %s", name, o.Type().Name)
}

// removeFolder is os.rmdir: unlike os.Remove it refuses what is no folder.
func removeFolder(path string) error {
	if info, err := os.Lstat(path); err == nil && !info.IsDir() {
		return numberedError(eNotFolder, "Not a directory", path)
	}
	return os.Remove(path)
}

// makeFolder is os.mkdir.
func makeFolder(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("mkdir", args, kwargs, 1, "path", "mode")
	if err != nil {
		return nil, err
	}
	path, mode, err := folderArguments("mkdir", a)
	if err != nil {
		return nil, err
	}
	return py.None, os.Mkdir(path, mode)
}

// makeFolders is os.makedirs.
func makeFolders(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("makedirs", args, kwargs, 1, "name", "mode", "exist_ok")
	if err != nil {
		return nil, err
	}
	path, mode, err := folderArguments("makedirs", a)
	if err != nil {
		return nil, err
	}
	existing, err := truth(a[2], false)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(path)), 0o777); err != nil {
		return nil, err
	}
	err = os.Mkdir(path, mode)
	if info, statErr := os.Stat(path); err != nil && existing && statErr == nil && info.IsDir() {
		err = nil
	}
	return py.None, err
}

// folderArguments are a new folder's path and permissions.
func folderArguments(name string, a []py.Object) (string, os.FileMode, error) {
	path, err := anyPath(name, a[0])
	if err != nil || a[1] == nil {
		return path, 0o777, err
	}
	mode, err := py.IndexInt(a[1])
	return path, os.FileMode(mode) & os.ModePerm, err
}

// listFolder is os.listdir, which answers in str or in bytes as it was asked.
func listFolder(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("listdir", args, kwargs, 0, "path")
	if err != nil {
		return nil, err
	}
	path := "."
	if a[0] != nil && a[0] != py.None {
		if path, err = anyPath("listdir", a[0]); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	_, inBytes := a[0].(py.Bytes)
	names := py.NewListSized(len(entries))
	for i, entry := range entries {
		names.Items[i] = py.String(entry.Name())
		if inBytes {
			names.Items[i] = py.Bytes(entry.Name())
		}
	}
	return names, nil
}

var statResultType = newType(py.ObjectType, "os.stat_result", "What is known of a file.")

// fileKinds are the bits of st_mode for what is no plain file.
var fileKinds = map[fs.FileMode]int{
	fs.ModeDir: 0o040000, fs.ModeSymlink: 0o120000, fs.ModeNamedPipe: 0o010000, fs.ModeSocket: 0o140000,
	fs.ModeDevice: 0o060000, fs.ModeDevice | fs.ModeCharDevice: 0o020000,
}

// statResult is what all systems tell of a file.
func statResult(info fs.FileInfo) *record {
	mode := info.Mode()
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
	modified := info.ModTime()
	return &record{statResultType, fmt.Sprintf("os.stat_result(st_mode=%d, st_size=%d, st_mtime=%d)", bits, info.Size(), modified.Unix()),
		py.StringDict{"st_mode": py.Int(bits), "st_size": py.Int(info.Size()), "st_mtime_ns": py.Int(modified.UnixNano()),
			"st_mtime": py.Float(float64(modified.UnixNano()) / 1e9)}}
}

// walker is what os.walk gives: an iterator over the folders in a folder.
type walker struct {
	topDown bool
	onError py.Object
	follow  bool
	todo    []step // the next one is the last
}

// step is a folder that is still to be listed or, if it has been, to be returned or descended into.
type step struct {
	path   string
	folder py.Tuple
}

var walkerType = newType(py.ObjectType, "generator", "What os.walk gives.")

func (w *walker) Type() *py.Type { return walkerType }

func (w *walker) M__iter__() (py.Object, error) { return w, nil }

// walk is os.walk.
func walk(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("walk", args, kwargs, 1, "top", "topdown", "onerror", "followlinks")
	if err != nil {
		return nil, err
	}
	w := &walker{onError: a[2]}
	if w.topDown, err = truth(a[1], true); err != nil {
		return nil, err
	}
	if w.follow, err = truth(a[3], false); err != nil {
		return nil, err
	}
	top, err := pathOf("walk", a[0])
	w.todo = []step{{path: top}}
	return w, err
}

func (w *walker) M__next__() (py.Object, error) {
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		next := w.todo[last]
		w.todo = w.todo[:last]
		if next.folder != nil {
			if w.topDown {
				w.descend(next) // the program may have changed the list meanwhile
				continue
			}
			return next.folder, nil
		}
		folder, err := listed(next.path)
		if err != nil {
			if w.onError == nil || w.onError == py.None {
				continue
			}
			if _, err := py.Call(w.onError, py.Tuple{asException(err)}, nil); err != nil {
				return nil, err
			}
			continue
		}
		next.folder = folder
		w.todo = append(w.todo, next)
		if w.topDown {
			return folder, nil
		}
		w.descend(next)
	}
	return nil, py.StopIteration
}

// descend makes the folders in a folder the next steps, in their order.
func (w *walker) descend(in step) {
	for _, name := range slices.Backward(in.folder[1].(*py.List).Items) {
		name, ok := name.(py.String)
		if !ok {
			continue
		}
		path := joined(in.path, string(name))
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 && !w.follow {
			continue
		}
		w.todo = append(w.todo, step{path: path})
	}
}

// listed returns a folder as os.walk does: its path, the names of the folders in it, and the names
// of the rest.
func listed(path string) (py.Tuple, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	folders, files := py.NewList(), py.NewList()
	for _, entry := range entries {
		isFolder := entry.IsDir()
		if entry.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(joined(path, entry.Name()))
			isFolder = err == nil && info.IsDir()
		}
		if isFolder {
			folders.Append(py.String(entry.Name()))
		} else {
			files.Append(py.String(entry.Name()))
		}
	}
	return py.Tuple{py.String(path), folders, files}, nil
}
