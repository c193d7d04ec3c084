package gpython

import (
	"io/fs"
	"os"
	"slices"

	"github.com/go-python/gpython/py"
)

// walker is what os.walk gives: an iterator over the folders in a folder.
type walker struct {
	topDown bool
	onError py.Object
	follow  bool
	todo    []step // the next one is the last
}

// step is a folder to look into, or to be told about if that has been done.
type step struct {
	path   string
	folder py.Tuple
}

var walkerType = newType(py.ObjectType, "generator", "What os.walk gives.")

func (w *walker) Type() *py.Type { return walkerType }

func (w *walker) M__iter__() (py.Object, error) { return w, nil }

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

// descend has the folders in a folder come next, the first of them at first.
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

// listed is what a folder has, as os.walk tells it: its path, the names of the folders in it, and
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
