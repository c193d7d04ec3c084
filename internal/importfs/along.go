package importfs

import (
	"crypto/sha256"
	"io/fs"
	"path"
	"strings"
)

// along collects the modules that are sent along with one that was asked for.
type along struct {
	*server
	answer *answer
	limit  int             // of the answer's content
	tried  map[string]bool // module names that were looked for
}

// addAlong adds to the answer what the far end will probably ask for next: what the module imports,
// and what that imports. When it asks for a second module of a folder whose modules nobody imports
// by a statement, as it does with plugins, the others of the folder go along, too.
func (s *server) addAlong(a *answer, name string, data []byte) {
	defer func() { _ = recover() }() // of the fs.FS: who asks for the file at fault is told
	l := &along{server: s, answer: a, limit: len(data) + mostAlong, tried: map[string]bool{}}
	l.addPackage(name)
	l.follow(name, data)

	folder := path.Dir(name)
	if path.Base(name) == "__init__.py" {
		folder = path.Dir(folder)
	}
	s.asked[folder]++
	if s.asked[folder] < 2 {
		return
	}
	l.limit = min(l.limit, len(a.content)+mostBeside)
	names, err := list(s.fsys, folder)
	if err != nil {
		return // what is asked for can be had
	}
	for _, beside := range names {
		if pkg, ok := strings.CutSuffix(beside, "//"); ok {
			l.add(path.Join(folder, pkg, "__init__.py"))
		} else if strings.HasSuffix(beside, ".py") {
			l.add(path.Join(folder, beside))
		}
	}
}

// add adds a module and what it imports, unless the far end has it.
func (l *along) add(name string) {
	if _, ok := l.sent[name]; ok {
		return
	}
	info, err := fs.Stat(l.fsys, name)
	if err != nil || int64(len(l.answer.content))+info.Size() > int64(l.limit) {
		return
	}
	data, err := l.read(name)
	if err != nil || len(l.answer.content)+len(data) > l.limit {
		return
	}
	l.sent[name] = sha256.Sum256(data)
	l.answer.addFile(name, data)
	l.addPackage(name)
	l.follow(name, data)
}

// addPackage adds the names in the folder of a package.
func (l *along) addPackage(name string) {
	if folder := path.Dir(name); path.Base(name) == "__init__.py" && !l.listed[folder] {
		l.list(folder)
	}
}

// list adds the names in a folder. If they cannot be read, who asks for them is told why.
func (l *along) list(folder string) { _ = l.addFolder(l.answer, folder) }

// follow adds what a module imports.
func (l *along) follow(name string, data []byte) {
	pkg := strings.ReplaceAll(path.Dir(name), "/", ".") // "." at the root
	for _, s := range scan(data) {
		base := ""
		if s.level > 0 {
			base = pkg
			for range s.level - 1 {
				base = base[:max(0, strings.LastIndexByte(base, '.'))]
			}
			if base == "" || base == "." {
				continue // beyond the package; Python says so
			}
		}
		l.locate(base, s)
		if l.python2 && s.level == 0 && pkg != "." {
			l.locate(pkg, s) // there import looks into the package first
		}
	}
}

// locate adds the modules that a statement names, of those below the package base.
func (l *along) locate(base string, s statement) {
	module := strings.Trim(base+"."+s.module, ".")
	l.addDotted(module)
	for _, name := range s.names {
		l.addDotted(module + "." + name)
	}
}

// addDotted adds the module of this name and the packages around it.
func (l *along) addDotted(name string) {
	if l.tried[name] || name == "" {
		return
	}
	l.tried[name] = true
	folder := "."
	for part := range strings.SplitSeq(name, ".") {
		within := path.Join(folder, part)
		switch {
		case isFile(l.fsys, path.Join(within, "__init__.py")):
			l.add(path.Join(within, "__init__.py"))
		case isFile(l.fsys, within+".py"):
			l.add(within + ".py")
			return
		default:
			info, err := fs.Stat(l.fsys, within)
			if err != nil || !info.IsDir() {
				return
			}
			if !l.listed[within] {
				l.list(within) // a namespace package
			}
		}
		folder = within
	}
}
