package gpython

// os.path, which gpython v0.2.0 lacks: the functions that need no more than Go's path/filepath.

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
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
			path, err := systemPath(a[0])
			if err != nil {
				return nil, err
			}
			return inTheKindOf(a[0], f(path)), nil
		}}
	}
	ask := func(name string, f func(path string) (py.Object, error)) {
		globals[name] = pathFunction(name, f)
	}
	tell := func(name string, stat func(path string) (fs.FileInfo, error), is func(info fs.FileInfo) bool) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "path")
			if err != nil {
				return nil, err
			}
			if fd, ok := a[0].(py.Int); ok && name != "islink" && name != "lexists" {
				f := in.descriptor(int(fd))
				if f == nil {
					return py.False, nil
				}
				info, err := f.Stat()
				return py.NewBool(err == nil && is(info)), nil
			}
			path, err := systemPath(a[0])
			switch {
			case py.IsException(py.TypeError, err) && !hasFspath(a[0]):
				kinds := "string, bytes, os.PathLike or integer"
				if name == "islink" || name == "lexists" {
					kinds = "string, bytes or os.PathLike"
				}
				called := "stat"
				if kinds == "string, bytes or os.PathLike" {
					called = "lstat"
				}
				return nil, py.ExceptionNewf(py.TypeError, "%s: path should be %s, not %s", called, kinds, a[0].Type().Name)
			case err != nil:
				return nil, err
			}
			info, err := stat(path)
			return py.NewBool(err == nil && is(info)), nil
		}}
	}
	always := func(fs.FileInfo) bool { return true }
	tell("exists", os.Stat, always)
	tell("lexists", os.Lstat, always)
	tell("isfile", os.Stat, func(info fs.FileInfo) bool { return info.Mode().IsRegular() })
	tell("isdir", os.Stat, fs.FileInfo.IsDir)
	tell("islink", os.Lstat, func(info fs.FileInfo) bool { return info.Mode()&fs.ModeSymlink != 0 })
	for name, attribute := range map[string]string{"getsize": "st_size", "getmtime": "st_mtime", "getatime": "st_atime", "getctime": "st_ctime"} {
		ask(name, func(p string) (py.Object, error) {
			info, err := os.Stat(p)
			if err != nil {
				return nil, err
			}
			return statResult(info).M__getattr__(attribute)
		})
	}
	add("expanduser", func(p string) py.Object { return py.String(in.expandUser(p)) })
	add("realpath", func(p string) py.Object { return py.String(realPath(p)) })
	add("isabs", func(p string) py.Object { return py.NewBool(filepath.IsAbs(p)) })
	add("normpath", func(p string) py.Object { return py.String(normalPath(p)) })
	add("normcase", func(p string) py.Object {
		if runtime.GOOS == "windows" {
			p = strings.ToLower(strings.ReplaceAll(p, "/", `\`))
		}
		return py.String(p)
	})
	add("splitdrive", func(p string) py.Object {
		volume := filepath.VolumeName(p)
		return py.Tuple{py.String(volume), py.String(p[len(volume):])}
	})
	add("expandvars", func(p string) py.Object { return py.String(in.expandVariables(p)) })
	ask("ismount", func(p string) (py.Object, error) { return py.NewBool(isMount(p)), nil })
	globals["samefile"] = &function{"samefile", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("samefile", args, kwargs, 2, "f1", "f2")
		if err != nil {
			return nil, err
		}
		var infos [2]fs.FileInfo
		for i, o := range a {
			path, err := pathArgument("stat", "path", "string, bytes, os.PathLike or integer", o)
			if err != nil {
				return nil, err
			}
			if infos[i], err = os.Stat(path); err != nil {
				return nil, aboutPath(err, o)
			}
		}
		return py.NewBool(os.SameFile(infos[0], infos[1])), nil
	}}
	globals["commonprefix"] = &function{"commonprefix", commonPrefix}
	globals["commonpath"] = &function{"commonpath", commonPath}
	for name, text := range map[string]string{"curdir": ".", "pardir": "..", "extsep": ".", "devnull": os.DevNull} {
		globals[name] = py.String(text)
	}
	globals["altsep"] = py.None
	if runtime.GOOS == "windows" {
		globals["altsep"] = py.String("/")
	}
	add("abspath", func(p string) py.Object {
		return py.String(absolutePath(p))
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

// inTheKindOf makes paths in an answer bytes if the path that was asked about is in bytes.
func inTheKindOf(asked, answer py.Object) py.Object {
	given, err := fsPath(asked)
	if _, ok := given.(py.Bytes); !ok || err != nil {
		return answer
	}
	switch x := answer.(type) {
	case py.String:
		return py.Bytes(x)
	case py.Tuple:
		parts := make(py.Tuple, len(x))
		for i, part := range x {
			parts[i] = inTheKindOf(asked, part)
		}
		return parts
	}
	return answer
}

// pathOf is a path that a program gave as str or PathLike. Paths in bytes are refused where the
// answer would have to be bytes.
func pathOf(name string, o py.Object) (string, error) {
	path, err := fsPath(o)
	if err != nil {
		return "", err
	}
	if p, ok := pyvalue.Plain(path).(py.String); ok {
		return string(p), nil
	}
	return "", py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s for bytes", name)
}

// normalPath is os.path.normpath. Two slashes at the beginning stay, as POSIX says.
func normalPath(p string) string {
	clean := filepath.Clean(p)
	if runtime.GOOS != "windows" && strings.HasPrefix(p, "//") && !strings.HasPrefix(p, "///") {
		return "/" + clean
	}
	return clean
}

// absolutePath is os.path.abspath.
func absolutePath(p string) string {
	if !filepath.IsAbs(p) {
		dir, err := os.Getwd()
		if err != nil {
			return p
		}
		p = joined(dir, p)
	}
	return normalPath(p)
}

// isMount is os.path.ismount.
func isMount(p string) bool {
	info, err := os.Lstat(p)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 {
		return false
	}
	above, err := os.Lstat(filepath.Join(realPath(p), ".."))
	if err != nil {
		return false
	}
	return factsOf(info).device != factsOf(above).device || os.SameFile(info, above)
}

// variableMark is $name or ${name} in os.path.expandvars.
var variableMark = regexp.MustCompile(`\$([A-Za-z0-9_]+|\{[^}]*\})`)

// expandVariables is os.path.expandvars: what is not set stays as it is.
func (in *interp) expandVariables(p string) string {
	return variableMark.ReplaceAllStringFunc(p, func(mark string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(mark[1:], "{"), "}")
		if value, ok := in.programsVariable(name); ok {
			return value
		}
		return mark
	})
}

// textsOf are the paths in an iterable.
func textsOf(name string, o py.Object) ([]string, error) {
	all, err := pyvalue.Unpack(o, -1)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(all))
	for i, item := range all {
		if texts[i], err = pathOf(name, item); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// commonPrefix is os.path.commonprefix, which goes by characters.
func commonPrefix(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("commonprefix", args, kwargs, 1, "m")
	if err != nil {
		return nil, err
	}
	texts, err := textsOf("commonprefix", a[0])
	if err != nil || len(texts) == 0 {
		return py.String(""), err
	}
	first := []rune(slices.Min(texts))
	last := []rune(slices.Max(texts))
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	return py.String(string(first[:n])), nil
}

// commonPath is os.path.commonpath.
func commonPath(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("commonpath", args, kwargs, 1, "paths")
	if err != nil {
		return nil, err
	}
	texts, err := textsOf("commonpath", a[0])
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, py.ExceptionNewf(py.ValueError, "commonpath() arg is an empty sequence")
	}
	absolute := filepath.IsAbs(texts[0])
	var common []string
	for i, text := range texts {
		if filepath.IsAbs(text) != absolute {
			return nil, py.ExceptionNewf(py.ValueError, "Can't mix absolute and relative paths")
		}
		parts := strings.FieldsFunc(text, isSeparator)
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "." })
		if i == 0 {
			common = parts
		}
		n := 0
		for n < len(common) && n < len(parts) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	path := strings.Join(common, string(filepath.Separator))
	if absolute {
		path = string(filepath.Separator) + path
	}
	return py.String(path), nil
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
	path, inBytes := "", false
	for i, o := range args {
		given, err := fsPath(o)
		switch {
		case py.IsException(py.TypeError, err) && i > 0 && !hasFspath(o):
			return nil, py.ExceptionNewf(py.TypeError, "join() argument must be str, bytes, or os.PathLike object, not '%s'", o.Type().Name)
		case err != nil:
			return nil, err
		}
		_, isBytes := given.(py.Bytes)
		if i > 0 && isBytes != inBytes {
			return nil, py.ExceptionNewf(py.TypeError, "Can't mix strings and bytes in path components")
		}
		part, err := systemPath(given)
		if err != nil {
			return nil, err
		}
		inBytes = isBytes
		if i == 0 {
			path = part
		} else {
			path = joined(path, part)
		}
	}
	if inBytes {
		return py.Bytes(path), nil
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

// expandUser is os.path.expanduser.
func (in *interp) expandUser(p string) string {
	rest, ok := strings.CutPrefix(p, "~")
	if !ok {
		return p
	}
	name := rest
	if at := strings.IndexFunc(rest, isSeparator); at >= 0 {
		name, rest = rest[:at], rest[at:]
	} else {
		rest = ""
	}
	home, found := in.programsVariable("HOME")
	if runtime.GOOS == "windows" {
		home, found = in.programsVariable("USERPROFILE")
	}
	if name != "" || !found {
		var u *user.User
		var err error
		if name == "" {
			u, err = user.Current()
		} else {
			u, err = user.Lookup(name)
		}
		if err != nil {
			return p
		}
		home = u.HomeDir
	}
	if path := strings.TrimRightFunc(home, isSeparator) + rest; path != "" {
		return path
	}
	return string(filepath.Separator)
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
