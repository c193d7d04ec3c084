package gpython

// os.path, which gpython v0.2.0 lacks: the functions that need no more than Go's path/filepath.

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// osPathModule has the functions of os.path that need no more than Go's path/filepath.
func (in *interp) osPathModule() (*py.Module, error) {
	globals := py.StringDict{"sep": py.String(filepath.Separator), "pathsep": py.String(filepath.ListSeparator)}
	add := func(name string, f func(path string) py.Object) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "path")
			if err != nil {
				return nil, err
			}
			path, err := pathOf(name, a[0])
			if err != nil {
				return nil, err
			}
			return f(path), nil
		}}
	}
	ask := func(name string, f func(path string) (py.Object, error)) {
		globals[name] = pathFunction(name, f)
	}
	ask("exists", func(p string) (py.Object, error) { _, err := os.Stat(p); return py.NewBool(err == nil), nil })
	ask("lexists", func(p string) (py.Object, error) { _, err := os.Lstat(p); return py.NewBool(err == nil), nil })
	ask("isfile", func(p string) (py.Object, error) {
		info, err := os.Stat(p)
		return py.NewBool(err == nil && info.Mode().IsRegular()), nil
	})
	ask("isdir", func(p string) (py.Object, error) {
		info, err := os.Stat(p)
		return py.NewBool(err == nil && info.IsDir()), nil
	})
	ask("islink", func(p string) (py.Object, error) {
		info, err := os.Lstat(p)
		return py.NewBool(err == nil && info.Mode()&fs.ModeSymlink != 0), nil
	})
	for name, attribute := range map[string]string{"getsize": "st_size", "getmtime": "st_mtime"} {
		ask(name, func(p string) (py.Object, error) {
			info, err := os.Stat(p)
			if err != nil {
				return nil, err
			}
			return statResult(info).M__getattr__(attribute)
		})
	}
	add("expanduser", func(p string) py.Object { return py.String(expandUser(p)) })
	add("realpath", func(p string) py.Object { return py.String(realPath(p)) })
	add("isabs", func(p string) py.Object { return py.NewBool(filepath.IsAbs(p)) })
	add("normpath", func(p string) py.Object { return py.String(filepath.Clean(p)) })
	add("abspath", func(p string) py.Object {
		abs, err := filepath.Abs(p)
		if err != nil {
			abs = p
		}
		return py.String(abs)
	})
	add("split", func(p string) py.Object { dir, base := splitPath(p); return py.Tuple{py.String(dir), py.String(base)} })
	add("dirname", func(p string) py.Object { dir, _ := splitPath(p); return py.String(dir) })
	add("basename", func(p string) py.Object { _, base := splitPath(p); return py.String(base) })
	add("splitext", func(p string) py.Object {
		_, base := splitPath(p)
		ext := filepath.Ext(strings.TrimLeft(base, "."))
		return py.Tuple{py.String(strings.TrimSuffix(p, ext)), py.String(ext)}
	})
	globals["join"] = &function{"join", joinPath}
	globals["relpath"] = &function{"relpath", relativePath}
	return in.newModule("os.path", globals)
}

// pathOf is a path that a program gave as str.
func pathOf(name string, o py.Object) (string, error) {
	if p, ok := o.(py.String); ok {
		return string(p), nil
	}
	return "", py.ExceptionNewf(py.TypeError, "%s: path should be string, not %s", name, o.Type().Name)
}

// splitPath is os.path.split: the last part, and what stands before it without its slashes.
func splitPath(p string) (dir, base string) {
	dir, base = filepath.Split(p)
	if short := strings.TrimRightFunc(dir, isSeparator); short != filepath.VolumeName(p) {
		dir = short
	}
	return dir, base
}

// joinPath is os.path.join: an absolute part throws away those before it.
func joinPath(args py.Tuple, _ py.StringDict) (py.Object, error) {
	if len(args) == 0 {
		return nil, py.ExceptionNewf(py.TypeError, "join() missing 1 required positional argument: 'a'")
	}
	path := ""
	for i, o := range args {
		part, err := pathOf("join", o)
		switch {
		case err != nil:
			return nil, err
		case i == 0:
			path = part
		default:
			path = joined(path, part)
		}
	}
	return py.String(path), nil
}

// joined puts a path and a part together, as os.path.join does with two.
func joined(path, part string) string {
	switch {
	case filepath.IsAbs(part):
		return part
	case path == "" || os.IsPathSeparator(path[len(path)-1]):
		return path + part
	}
	return path + string(filepath.Separator) + part
}

// expandUser is os.path.expanduser for the user who runs the worker.
func expandUser(p string) string {
	rest, ok := strings.CutPrefix(p, "~")
	home, err := os.UserHomeDir()
	if !ok || err != nil || rest != "" && !os.IsPathSeparator(rest[0]) {
		return p
	}
	return strings.TrimRightFunc(home, isSeparator) + rest
}

// isSeparator reports whether r separates the parts of a path.
func isSeparator(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(uint8(r)) }

// realPath is os.path.realpath: what does not exist is left as it is.
func realPath(p string) string {
	abs, err := filepath.Abs(p)
	if err != nil {
		return p
	}
	real, err := filepath.EvalSymlinks(abs)
	dir, base := filepath.Split(abs)
	switch {
	case err == nil:
		return real
	case base == "":
		return abs
	}
	return filepath.Join(realPath(dir), base)
}

// relativePath is os.path.relpath.
func relativePath(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("relpath", args, kwargs, 1, "path", "start")
	if err != nil {
		return nil, err
	}
	if a[1] == nil || a[1] == py.None {
		a[1] = py.String(".")
	}
	var paths [2]string
	for i, o := range a {
		if paths[i], err = pathOf("relpath", o); err != nil {
			return nil, err
		}
		if paths[i] == "" && i == 0 {
			return nil, py.ExceptionNewf(py.ValueError, "no path specified")
		}
		if paths[i], err = filepath.Abs(paths[i]); err != nil {
			return nil, err
		}
	}
	relative, err := filepath.Rel(paths[1], paths[0])
	if err != nil {
		return nil, py.ExceptionNewf(py.ValueError, "path is on mount '%s', start on mount '%s'", filepath.VolumeName(paths[0]),
			filepath.VolumeName(paths[1]))
	}
	return py.String(relative), nil
}
