package gpy

import (
	"os"
	"path/filepath"
	"strings"

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
	add("exists", func(p string) py.Object { _, err := os.Stat(p); return py.NewBool(err == nil) })
	add("isfile", func(p string) py.Object {
		info, err := os.Stat(p)
		return py.NewBool(err == nil && info.Mode().IsRegular())
	})
	add("isdir", func(p string) py.Object { info, err := os.Stat(p); return py.NewBool(err == nil && info.IsDir()) })
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
	return in.newModule("os.path", globals)
}

func pathOf(name string, o py.Object) (string, error) {
	if p, ok := o.(py.String); ok {
		return string(p), nil
	}
	return "", py.ExceptionNewf(py.TypeError, "%s: path should be string, not %s", name, o.Type().Name)
}

// splitPath is os.path.split: the last part, and what stands before it without its slashes.
func splitPath(p string) (dir, base string) {
	dir, base = filepath.Split(p)
	if short := strings.TrimRight(dir, "/"+string(filepath.Separator)); short != filepath.VolumeName(p) {
		dir = short
	}
	return dir, base
}

// joinPath is os.path.join: an absolute part throws away those before it.
func joinPath(args py.Tuple, _ py.StringDict) (py.Object, error) {
	if len(args) == 0 {
		return nil, py.ExceptionNewf(py.TypeError, "join() missing 1 required positional argument: 'a'")
	}
	joined := ""
	for i, o := range args {
		part, err := pathOf("join", o)
		switch {
		case err != nil:
			return nil, err
		case i == 0 || filepath.IsAbs(part):
			joined = part
		case joined == "" || os.IsPathSeparator(joined[len(joined)-1]):
			joined += part
		default:
			joined += string(filepath.Separator) + part
		}
	}
	return py.String(joined), nil
}
