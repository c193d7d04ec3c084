package gpython

// What exact.go looks for in imports.

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-python/gpython/ast"
)

// imports reads "import a.b as c".
func (r *reading) imports(s *ast.Import) {
	for _, alias := range s.Names {
		module, as := string(alias.Name), string(alias.AsName)
		if !r.knows(module) {
			r.differs(s.GetLineno(), "import %s", module)
		}
		if as == "" {
			as, _, _ = strings.Cut(module, ".")
			module = as
		}
		r.bindModule(as, module, s.GetLineno())
	}
}

// importsFrom reads "from a import b as c".
func (r *reading) importsFrom(s *ast.ImportFrom) {
	module := string(s.Module)
	for _, alias := range s.Names {
		name, as := string(alias.Name), cmp.Or(string(alias.AsName), string(alias.Name))
		switch {
		case s.Level == 0 && module == "__future__" && exactFutures[name] && alias.AsName == "":
		case s.Level == 0 && r.knows(module) && r.knows(module+"."+name):
			r.bindModule(as, module+"."+name, s.GetLineno())
		case s.Level == 0 && r.has(module, name):
			// A call by this name with keywords is one of this function.
			r.imported[as] = module + "." + name
			r.checkBinding(as, s.GetLineno())
		default:
			r.differs(s.GetLineno(), "from %s import %s", strings.Repeat(".", s.Level)+module, name)
		}
	}
}

func (r *reading) bindModule(as, module string, line int) {
	if before, ok := r.imported[as]; ok && before != module {
		r.differs(line, "the name %s of two modules", as)
	}
	r.imported[as] = module
	r.checkBinding(as, line)
}

// knows tells whether there is a module here that is the same in CPython.
func (r *reading) knows(module string) bool {
	if r.registered(module) {
		return true
	}
	return exactModules[module] != nil
}

// registered tells whether a module has Go functions, or is around one that has.
func (r *reading) registered(module string) bool {
	if _, ok := r.modules[module]; ok {
		return true
	}
	for name := range r.modules {
		if strings.HasPrefix(name, module+".") {
			return true
		}
	}
	return false
}

// has tells whether a module has a function or value that is the same in CPython.
func (r *reading) has(module, name string) bool {
	if r.registered(module) {
		_, ok := r.modules[module][name]
		return ok
	}
	return slices.Contains(exactModules[module], name)
}
