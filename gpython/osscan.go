package gpython

// os.scandir, which gpython v0.2.0 lacks. The folder is read as a whole when it is opened.

import (
	"io/fs"
	"os"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// scanner is what os.scandir gives.
type scanner struct{ left []*folderEntry }

// folderEntry is an os.DirEntry.
type folderEntry struct {
	name, path py.Object
	at         string
	entry      fs.DirEntry
}

var (
	scannerType     = newType(py.ObjectType, "posix.ScandirIterator", "What os.scandir gives.")
	folderEntryType = newType(py.ObjectType, "DirEntry", "An entry of a folder.")
)

func init() { folderEntryType.Dict["__module__"] = py.String("os") }

// addScan gives os scandir.
func (in *interp) addScan(globals py.StringDict) {
	globals["DirEntry"] = folderEntryType
	globals["scandir"] = &function{"scandir", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("scandir", args, kwargs, 0, "path")
		if err != nil {
			return nil, err
		}
		if a[0] == nil || a[0] == py.None {
			a[0] = py.String(".")
		}
		path, err := pathArgument("scandir", "path", "string, bytes, os.PathLike, integer or None", a[0])
		if err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, aboutPath(err, a[0])
		}
		s := &scanner{}
		_, inBytes := a[0].(py.Bytes)
		for _, entry := range entries {
			e := &folderEntry{py.String(entry.Name()), py.String(joined(path, entry.Name())), joined(path, entry.Name()), entry}
			if inBytes {
				e.name, e.path = py.Bytes(entry.Name()), py.Bytes(e.at)
			}
			s.left = append(s.left, e)
		}
		return s, nil
	}}
}

func (s *scanner) Type() *py.Type { return scannerType }

func (s *scanner) M__iter__() (py.Object, error) { return s, nil }

func (s *scanner) M__next__() (py.Object, error) {
	if len(s.left) == 0 {
		return nil, py.StopIteration
	}
	next := s.left[0]
	s.left = s.left[1:]
	return next, nil
}

func (s *scanner) M__getattr__(name string) (py.Object, error) {
	switch name {
	case "__enter__":
		return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) { return s, nil }}, nil
	case "close", "__exit__":
		return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) {
			s.left = nil
			return py.None, nil
		}}, nil
	case "__next__":
		return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) { return s.M__next__() }}, nil
	}
	return nil, noAttribute(s, name)
}

func (e *folderEntry) Type() *py.Type { return folderEntryType }

func (e *folderEntry) M__repr__() (py.Object, error) {
	name, err := pyvalue.Repr(e.name)
	return py.String("<DirEntry " + name + ">"), err
}

func (e *folderEntry) M__getattr__(name string) (py.Object, error) {
	method := func(ask func(info fs.FileInfo) bool) (py.Object, error) {
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			info, err := e.info(name, args, kwargs)
			return py.NewBool(err == nil && ask(info)), argumentError(err)
		}}, nil
	}
	switch name {
	case "name":
		return e.name, nil
	case "path":
		return e.path, nil
	case "is_dir":
		return method(func(info fs.FileInfo) bool { return info.IsDir() })
	case "is_file":
		return method(func(info fs.FileInfo) bool { return info.Mode().IsRegular() })
	case "is_symlink":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return py.NewBool(e.entry.Type()&fs.ModeSymlink != 0), err
		}}, nil
	case "inode":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if _, err := arguments(name, args, kwargs, 0); err != nil {
				return nil, err
			}
			info, err := os.Lstat(e.at)
			if err != nil {
				return nil, err
			}
			return py.Int(factsOf(info).inode), nil
		}}, nil
	case "stat":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			info, err := e.info(name, args, kwargs)
			if err != nil {
				return nil, aboutEntry(err, e.path)
			}
			return statResult(info), nil
		}}, nil
	case "__fspath__":
		return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) { return e.path, nil }}, nil
	}
	return nil, noAttribute(e, name)
}

// info is what the system knows of the entry, or of what it leads to, as follow_symlinks says.
func (e *folderEntry) info(name string, args py.Tuple, kwargs py.StringDict) (fs.FileInfo, error) {
	if len(args) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes 0 positional arguments but %d was given", name, len(args))
	}
	a, err := arguments(name, nil, kwargs, 0, "follow_symlinks")
	if err != nil {
		return nil, err
	}
	follow, err := truth(a[0], true)
	if err != nil {
		return nil, err
	}
	if follow {
		return os.Stat(e.at)
	}
	return os.Lstat(e.at)
}

// argumentError keeps the errors of a call that is wrong, and drops those of the system: what is
// not there is neither a file nor a folder.
func argumentError(err error) error {
	if _, ok := err.(*py.Exception); ok {
		return err
	}
	return nil
}

func aboutEntry(err error, path py.Object) error {
	if argumentError(err) != nil {
		return err
	}
	return aboutPath(err, path)
}
