package gpython

// How exact.go checks the names and attributes that a program uses, once all of it has been read.

import (
	"cmp"
	"slices"
	"strings"
)

// bind notes that a name gets a value.
func (r *reading) bind(name string, line int) {
	if name != "" {
		r.bound[name] = true
		r.checkBinding(name, line)
	}
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
		module, imported := r.imported[u.names[0]]
		switch {
		case imported && r.bound[u.names[0]]:
			r.differs(u.line, "the name %s of a module and something else", u.names[0])
		case imported:
			r.checkImported(u, module)
		default:
			if u.names[0] != "" {
				r.checkName(u)
			}
			r.checkAttributes(u, u.names[1:])
		}
	}
}

// checkImported checks a use of a module, or of what was imported from one.
func (r *reading) checkImported(u use, module string) {
	path := module
	rest := u.names[1:]
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
	name := u.names[0]
	keywords, isBuiltin := exactBuiltins[name]
	switch {
	case otherBuiltins[name]:
		r.differs(u.line, "the name %s", name)
	case isBuiltin && len(u.names) == 1:
		r.checkKeywords(u, keywords)
	case !isBuiltin && !r.bound[name] && !exactGlobals[name]:
		r.differs(u.line, "the name %s", name)
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
	if n := len(names); n > 0 && u.stores && (n > 1 || !r.selves[u.names[0]]) {
		r.differs(u.line, "an assignment to the attribute %s", names[n-1])
	}
}

func (r *reading) checkKeywords(u use, known []string) {
	for _, k := range u.keywords {
		if !slices.Contains(known, string(k.Arg)) && !slices.Contains(known, anyKeyword) {
			r.differs(u.line, "the keyword %s of %s", cmp.Or(string(k.Arg), "**"), u.names[len(u.names)-1])
		}
	}
}
