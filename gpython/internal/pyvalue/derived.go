package pyvalue

// What the module collections adds to the types here: dicts of classes derived from dict, and
// objects of other packages that are written, and hashed, as the containers that they are.

import (
	"github.com/go-python/gpython/py"
)

// DictKind makes a Dict one of a class derived from dict.
type DictKind struct {
	Class *py.Type
	// Missing gives d[key] for a key that is absent; without it that is a KeyError.
	Missing func(d *Dict, key py.Object) (py.Object, error)
	// First is what the repr has before the entries, or nil: defaultdict's factory.
	First py.Object
	// Ordered says that the order counts when two of this class are compared, and that the repr has
	// pairs.
	Ordered bool
	// Counts says that the operators are about the numbers that the dict has as values. They are
	// refused.
	Counts bool
	// Sort gives the keys in the order of the repr, if it is not the dict's.
	Sort func(d *Dict) ([]py.Object, error)
}

// NewDictOf makes an empty dict of a derived class.
func NewDictOf(kind *DictKind) *Dict { return &Dict{kind: kind} }

// Kind is the dict's derived class, or nil.
func (d *Dict) Kind() *DictKind { return d.kind }

// Clone is a copy of the dict, of the same class.
func (d *Dict) Clone() *Dict { return &Dict{table: d.clone(), kind: d.kind} }

// Remove deletes a key and returns its value, and whether it was present.
func (d *Dict) Remove(key py.Object) (py.Object, bool, error) { return d.remove(key) }

// refusesOperators is the error for operators that the class has and this package has not.
func (d *Dict) refusesOperators() error {
	if d.kind == nil || !d.kind.Counts {
		return nil
	}
	return py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no operators of %s", d.kind.Class.Name)
}

// Named is a tuple whose items have names.
type Named interface {
	py.Object
	Named() (class string, fields []string, items py.Tuple)
}

// Listed is an object that is written as a list between other text.
type Listed interface {
	py.Object
	Listed() (before string, items []py.Object, after string)
}

// derived writes a dict of a derived class.
func (p *printer) derived(d *Dict) error {
	k := d.kind
	p.WriteString(k.Class.Name + "(")
	if d.len() == 0 && k.First == nil {
		p.WriteString(")")
		return nil
	}
	if k.First != nil {
		if err := p.repr(k.First); err != nil {
			return err
		}
		p.WriteString(", ")
	}
	plain := &Dict{table: d.table}
	if k.Ordered {
		pairs, err := items(&view{plain, itemsView})
		if err != nil {
			return err
		}
		return p.items("[", pairs, "])")
	}
	if k.Sort != nil {
		keys, err := k.Sort(d)
		if err != nil {
			return err
		}
		plain = NewDict()
		for _, key := range keys {
			value, _, err := d.get(key)
			if err == nil {
				err = plain.put(key, value)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := p.dict(plain); err != nil {
		return err
	}
	p.WriteString(")")
	return nil
}

// named writes a tuple whose items have names.
func (p *printer) named(o Named) error {
	if p.depth++; p.depth > deepest {
		return tooDeep("while getting the repr of an object")
	}
	defer func() { p.depth-- }()
	class, fields, items := o.Named()
	p.WriteString(class + "(")
	for i, field := range fields {
		if i > 0 {
			p.WriteString(", ")
		}
		p.WriteString(field + "=")
		if err := p.repr(items[i]); err != nil {
			return err
		}
	}
	p.WriteString(")")
	return nil
}

// sameOrder reports whether two dicts that are equal have their keys in the same order.
func sameOrder(a, b *Dict) (bool, error) {
	other := b.keys()
	for i, key := range a.keys() {
		if same, err := sameOrEqual(key, other[i]); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}
