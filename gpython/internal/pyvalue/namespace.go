package pyvalue

// The names of a module, a class, an instance, or of a dict that code is executed in: in the order
// in which they were assigned, as in CPython. gpython v0.2.0 keeps them in a Go map, which has no
// order and is no dict of this package.

import (
	"maps"
	"slices"

	"github.com/go-python/gpython/py"
)

// namespace is what is known of a Go map with names beside the map itself: their order, and the
// dict that shows it to the program.
type namespace struct {
	names   py.StringDict
	order   []string
	changes int   // counts changes of order
	view    *Dict // nil before it is asked for
	// value is what an instance of a class derived from dict, list, str or int holds as such.
	value py.Object
	// slots are, of a class with __slots__, what its instances may have; else nil.
	slots py.Tuple
}

// namespaceKey is the key under which a map has its namespace. No program has such a name.
const namespaceKey = "\x00namespace"

var namespaceType = newType("namespace")

func (ns *namespace) Type() *py.Type { return namespaceType }

// KeepOrder makes a map keep the order of its names from now on. Those that it has are sorted.
func KeepOrder(names py.StringDict) { namespaceOf(names) }

// namespaceOf returns the map's namespace, and makes one if there is none.
func namespaceOf(names py.StringDict) *namespace {
	if ns, ok := names[namespaceKey].(*namespace); ok {
		return ns
	}
	ns := &namespace{names: names}
	if len(names) > 0 {
		ns.order = sortedKeys(names)
	}
	names[namespaceKey] = ns
	return ns
}

// Order makes a map keep the order of the names that it has.
func Order(names py.StringDict, order []string) {
	names[namespaceKey] = &namespace{names: names, order: slices.Clone(order)}
}

// OrderOf is the order of the names in a map that keeps one, else nil.
func OrderOf(names py.StringDict) []string {
	if ns, ok := names[namespaceKey].(*namespace); ok {
		return ns.inOrder()
	}
	return nil
}

// SetName assigns to a name.
func SetName(names py.StringDict, name string, value py.Object) {
	if _, ok := names[name]; !ok {
		if ns, ok := names[namespaceKey].(*namespace); ok {
			ns.order = append(ns.order, name)
			ns.changes++
		}
	}
	names[name] = value
}

// DeleteName removes a name, and returns whether it was there.
func DeleteName(names py.StringDict, name string) bool {
	if _, ok := names[name]; !ok || name == namespaceKey {
		return false
	}
	delete(names, name)
	if ns, ok := names[namespaceKey].(*namespace); ok {
		if i := slices.Index(ns.order, name); i >= 0 {
			ns.order = slices.Delete(ns.order, i, i+1)
		}
		ns.changes++
	}
	return true
}

// CopyNames copies a map, with the order of its names.
func CopyNames(names py.StringDict) py.StringDict {
	out := maps.Clone(names)
	if ns, ok := out[namespaceKey].(*namespace); ok {
		out[namespaceKey] = &namespace{names: out, order: slices.Clone(ns.inOrder())}
	}
	return out
}

// View is the dict of a map's names: what is changed in one is changed in the other.
func View(names py.StringDict) *Dict {
	ns := namespaceOf(names)
	if ns.view == nil {
		ns.view = &Dict{table: table{ns: ns, seen: -1}}
	}
	return ns.view
}

// Names is the map of which d is the view. A dict that is none becomes one, with the names that it
// has.
func (d *Dict) Names() py.StringDict {
	if d.ns != nil {
		return d.ns.names
	}
	names := make(py.StringDict)
	ns := &namespace{names: names, view: d}
	for _, e := range d.entries {
		if name, ok := e.key.(py.String); ok {
			names[string(name)] = e.value
			ns.order = append(ns.order, string(name))
		}
	}
	names[namespaceKey] = ns
	d.ns, d.seen = ns, -1
	return names
}

// CopyNames makes a map of the names in d, in their order. It returns a TypeError when a key is not
// a str.
func (d *Dict) CopyNames() (py.StringDict, error) {
	names := make(py.StringDict)
	KeepOrder(names)
	return names, d.Each(func(key, value py.Object) error {
		name, ok := key.(py.String)
		if !ok {
			return py.ExceptionNewf(py.TypeError, "keywords must be strings")
		}
		SetName(names, string(name), value)
		return nil
	})
}

// inOrder returns the names in order: those of gpython's own making, which come without telling,
// are the last.
func (ns *namespace) inOrder() []string {
	has := func(name string) bool { _, ok := ns.names[name]; return ok }
	if len(ns.order) == len(ns.names)-1 && !slices.ContainsFunc(ns.order, func(name string) bool { return !has(name) }) {
		return ns.order
	}
	known := make(map[string]bool)
	order := slices.DeleteFunc(ns.order, func(name string) bool { known[name] = true; return !has(name) })
	for _, name := range sortedKeys(ns.names) {
		if !known[name] {
			order = append(order, name)
		}
	}
	ns.order = order
	ns.changes++
	return order
}

// sync makes a table that is a view have what its map has.
func (t *table) sync() {
	if t.ns == nil {
		return
	}
	order := t.ns.inOrder()
	if t.seen == t.ns.changes {
		for i, e := range t.entries {
			if name, ok := e.key.(py.String); ok {
				t.entries[i].value = t.ns.names[string(name)]
			}
		}
		return
	}
	entries := make([]entry, 0, len(order))
	for _, name := range order {
		h, _ := hash(py.String(name)) // a str has one
		entries = append(entries, entry{h, py.String(name), t.ns.names[name]})
	}
	for _, e := range t.entries {
		if _, ok := e.key.(py.String); !ok && e.key != nil {
			entries = append(entries, e)
		}
	}
	t.entries, t.dead, t.index, t.seen = entries, 0, nil, t.ns.changes
	t.version++
	t.rebuild()
}

// name returns the name that a key is in a table that is a view.
func (t *table) name(key py.Object) (string, bool) {
	if t.ns == nil {
		return "", false
	}
	name, ok := plain(key).(py.String)
	return string(name), ok && name != namespaceKey
}
