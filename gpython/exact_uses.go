package gpython

// How exact.go checks the names and attributes that a program uses, once all of it has been read.

import (
	"cmp"
	"slices"
	"strings"
)

// bind notes that a name gets a value.
func (r *reading) bind(name string, line int) {
	if first, ok := r.bound[name]; name == "" || ok && first <= line {
		return
	}
	r.bound[name] = line
	r.checkBinding(name, line)
}

// checkBinding refuses the names of builtins that are not in the list, since they may mean the
// builtin elsewhere, and those of builtins whose meaning matters. A name with "__" in front is
// another one in classes.
func (r *reading) checkBinding(name string, line int) {
	if otherBuiltins[name] || exactOrderless[name] || strings.HasPrefix(name, "__") || strings.ContainsFunc(name, func(c rune) bool { return c > 0x7e }) {
		r.differs(line, "the name %s", name)
	}
}

// checkUses checks the names that are read.
func (r *reading) checkUses() {
	for _, u := range r.uses {
		module, imported := r.imported[u.name]
		switch {
		case imported && r.bound[u.name] > 0:
			r.differs(u.line, "the name %s of a module and something else", u.name)
		case imported:
			r.checkImported(u, module)
		default:
			if u.name != "" {
				r.checkName(u)
			}
			r.checkAttributes(u, u.attributes)
		}
	}
}

// checkImported checks a use of a module, or of what was imported from one.
func (r *reading) checkImported(u use, module string) {
	path := module
	rest := u.attributes
	for r.knows(path) {
		if len(rest) == 0 {
			r.differs(u.line, "the module %s as a value", path)
			return
		}
		if !r.knows(path+"."+rest[0]) && !r.has(path, rest[0]) {
			r.differs(u.line, "%s.%s", path, rest[0])
			return
		}
		path, rest = path+"."+rest[0], rest[1:]
	}
	if len(rest) > 0 {
		r.checkAttributes(u, rest)
		return
	}
	dot := strings.LastIndex(path, ".")
	if dot < 0 { // a module that gpython does not have
		r.differs(u.line, "the module %s", path)
		return
	}
	if u.stores || len(u.keywords) > 0 && !r.registered(path[:dot]) {
		r.differs(u.line, "%s", path)
	}
}

// checkName checks the first name of a use.
func (r *reading) checkName(u use) {
	keywords, isBuiltin := exactBuiltins[u.name]
	switch {
	case otherBuiltins[u.name]:
		r.differs(u.line, "the name %s", u.name)
	case isBuiltin && len(u.attributes) == 0:
		r.checkKeywords(u, keywords)
	case !isBuiltin && r.bound[u.name] == 0 && !exactGlobals[u.name]:
		r.differs(u.line, "the name %s", u.name)
	}
}

// checkAttributes checks the attributes of a value.
func (r *reading) checkAttributes(u use, names []string) {
	for i, name := range names {
		last := i+1 == len(names)
		keywords, isExact := exactAttributes[name]
		switch {
		case !isExact && (otherAttributes[name] || r.catches && exceptionAttributes[name] || !r.attributes[name] || isSpecial(name)):
			r.differs(u.line, "the attribute %s", name)
		case isExact && !exactValues[name] && !(last && u.called) && !r.attributes[name], name == "gateway" && (last || names[i+1] != "newchannel"):
			r.differs(u.line, "the attribute %s as a value", name)
		case isExact && last:
			r.checkKeywords(u, keywords)
		}
	}
	if n := len(names); n > 0 && u.stores && (n > 1 || !r.selves[u.name]) {
		r.differs(u.line, "an assignment to the attribute %s", names[n-1])
	}
}

func (r *reading) checkKeywords(u use, known []string) {
	for _, k := range u.keywords {
		if !slices.Contains(known, string(k.Arg)) && !slices.Contains(known, anyKeyword) {
			of := append([]string{u.name}, u.attributes...)
			r.differs(u.line, "the keyword %s of %s", cmp.Or(string(k.Arg), "**"), of[len(of)-1])
		}
	}
}
