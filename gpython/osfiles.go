package gpython

// The functions of os about files and folders, with os.walk. gpython v0.2.0 has a few of them and
// no stat; its remove also removes a folder, and its errors do not tell what failed. CPython raises
// an OSError with errno and file name, which programs look at.

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
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
	for _, name := range []string{"remove", "unlink"} {
		add(name, func(p string) (py.Object, error) {
			if info, err := os.Lstat(p); err == nil && info.IsDir() {
				return nil, numberedError(eIsFolder, "Is a directory", p)
			}
			return py.None, os.Remove(p)
		})
	}
	for name, f := range map[string]func(from, to string) error{"rename": rename, "replace": rename, "link": os.Link} {
		globals[name] = twoPaths(name, f)
	}
	globals["symlink"] = twoPaths("symlink", os.Symlink)
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

// pathFunction is a function of one path. Its errors name the path as the program gave it.
func pathFunction(name string, f func(path string) (py.Object, error)) *function {
	return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments(name, args, kwargs, 1, "path", "dir_fd")
		if err != nil {
			return nil, err
		}
		if err := refuseFolderFD(name, a[1]); err != nil {
			return nil, err
		}
		path, err := pathArgument(name, "path", "string, bytes or os.PathLike", a[0])
		if err != nil {
			return nil, err
		}
		res, err := f(path)
		if err != nil {
			return nil, aboutPath(err, a[0])
		}
		return res, nil
	}}
}

// twoPaths is a function of two paths.
func twoPaths(name string, f func(from, to string) error) *function {
	return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		more := []string{"src_dir_fd", "dst_dir_fd"}
		if name == "symlink" {
			more = []string{"target_is_directory", "dir_fd"}
		}
		a, err := arguments(name, args, kwargs, 2, append([]string{"src", "dst"}, more...)...)
		if err != nil {
			return nil, err
		}
		for i, o := range a[2:] {
			if more[i] == "target_is_directory" {
				continue // for Windows only
			}
			if err := refuseFolderFD(name, o); err != nil {
				return nil, err
			}
		}
		from, err := pathArgument(name, "src", "string, bytes or os.PathLike", a[0])
		if err != nil {
			return nil, err
		}
		to, err := pathArgument(name, "dst", "string, bytes or os.PathLike", a[1])
		if err != nil {
			return nil, err
		}
		if err := f(from, to); err != nil {
			if e := systemError(err); e != nil {
				e.Dict["filename"], e.Dict["filename2"] = a[0], a[1]
				return nil, e
			}
			return nil, err
		}
		return py.None, nil
	}}
}

// pathArgument is a path that a program gave to a function of os, of one of the kinds that it
// takes.
func pathArgument(function, parameter, kinds string, o py.Object) (string, error) {
	path, err := systemPath(o)
	switch {
	case py.IsException(py.TypeError, err) && !hasFspath(o):
		return "", py.ExceptionNewf(py.TypeError, "%s: %s should be %s, not %s", function, parameter, kinds, o.Type().Name)
	case err != nil:
		return "", err
	case strings.IndexByte(path, 0) >= 0:
		return "", py.ExceptionNewf(py.ValueError, "embedded null byte")
	}
	return path, nil
}

func hasFspath(o py.Object) bool {
	_, err := pyvalue.GetAttr(o, "__fspath__")
	return err == nil
}

// anyPath is a path that a program gave as str, bytes or PathLike.
func anyPath(name string, o py.Object) (string, error) {
	return pathArgument(name, "path", "string, bytes or os.PathLike", o)
}

// systemPath is os.fspath(o) as a Go string.
func systemPath(o py.Object) (string, error) {
	path, err := fsPath(o)
	if err != nil {
		return "", err
	}
	if b, ok := path.(py.Bytes); ok {
		return string(b), nil
	}
	return string(pyvalue.Plain(path).(py.String)), nil
}

// fsPath is os.fspath(o): a str or bytes.
func fsPath(o py.Object) (py.Object, error) {
	switch pyvalue.Plain(o).(type) {
	case py.String, py.Bytes:
		return o, nil
	}
	method, err := pyvalue.GetAttr(o, "__fspath__")
	if err != nil {
		return nil, py.ExceptionNewf(py.TypeError, "expected str, bytes or os.PathLike object, not %s", o.Type().Name)
	}
	path, err := py.Call(method, nil, nil)
	if err != nil {
		return nil, err
	}
	switch pyvalue.Plain(path).(type) {
	case py.String, py.Bytes:
		return path, nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "expected %s.__fspath__() to return str or bytes, not %s", o.Type().Name, path.Type().Name)
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
	a, err := arguments("mkdir", args, kwargs, 1, "path", "mode", "dir_fd")
	if err != nil {
		return nil, err
	}
	if err := refuseFolderFD("mkdir", a[2]); err != nil {
		return nil, err
	}
	path, mode, err := folderArguments("mkdir", a)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(path, mode); err != nil {
		return nil, aboutPath(err, a[0])
	}
	return py.None, nil
}

// makeFolders is os.makedirs.
func makeFolders(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("makedirs", args, kwargs, 1, "name", "mode", "exist_ok")
	if err != nil {
		return nil, err
	}
	if _, err := systemPath(a[0]); err != nil {
		return nil, err
	}
	path, mode, err := folderArguments("mkdir", a)
	if err != nil {
		return nil, err
	}
	existing, err := truth(a[2], false)
	if err != nil {
		return nil, err
	}
	if err := makeAround(path); err != nil {
		return nil, err
	}
	err = os.Mkdir(path, mode)
	if info, statErr := os.Stat(path); err != nil && existing && statErr == nil && info.IsDir() {
		err = nil
	}
	return py.None, err
}

// makeAround makes the folders that a path lies in. A file in their place is the error of the one
// below it, as CPython has it.
func makeAround(path string) error {
	head, tail := splitPath(path)
	if tail == "" {
		head, tail = splitPath(head)
	}
	if head == "" || tail == "" {
		return nil
	}
	if _, err := os.Stat(head); err == nil {
		return nil
	}
	if err := makeAround(head); err != nil {
		return err
	}
	if err := os.Mkdir(head, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
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
		if path, err = pathArgument("listdir", "path", "string, bytes, os.PathLike, integer or None", a[0]); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		if a[0] != nil && a[0] != py.None {
			err = aboutPath(err, a[0])
		}
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
	top, err := systemPath(a[0])
	if _, inBytes := a[0].(py.Bytes); inBytes {
		return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no os.walk of bytes")
	}
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
		name, ok := pyvalue.Plain(name).(py.String)
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
