package pyvalue

// repr(o) and str(o), in CPython's text, which programs compare and drivers print. gpython v0.2.0
// writes many objects in its own way (str(1e16) is 10000000000000000.0, a function is a "method
// instance"), and the repr of a list that holds itself ends the process with Go's stack.

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/go-execnet/execnet/serializer"
	"github.com/go-python/gpython/py"
)

// Repr is Python's repr(o).
func Repr(o py.Object) (string, error) {
	var p printer
	if err := p.repr(o); err != nil {
		return "", err
	}
	return p.String(), nil
}

// Str is Python's str(o).
func Str(o py.Object) (string, error) {
	switch x := o.(type) {
	case py.String:
		return string(x), nil
	case *py.Exception, *py.Type:
		if method := instanceMethod(o, "__str__"); method != nil {
			return textOf(method, o, "__str__")
		}
		if e, ok := o.(*py.Exception); ok {
			return exceptionText(e)
		}
		return Repr(o)
	}
	if knownType(o) {
		return Repr(o)
	}
	if s, ok := o.(py.I__str__); ok {
		res, err := s.M__str__()
		if err != nil {
			return "", err
		}
		if s, ok := res.(py.String); ok {
			return string(s), nil
		}
	}
	return Repr(o)
}

// reprObject is Repr in the shape of a slot.
func reprObject(o py.Object) (py.Object, error) {
	s, err := Repr(o)
	return py.String(s), err
}

// textOf calls a method that must return a str.
func textOf(method, self py.Object, name string) (string, error) {
	res, err := py.Call(method, py.Tuple{self}, nil)
	if err != nil {
		return "", err
	}
	s, ok := plain(res).(py.String)
	if !ok {
		return "", py.ExceptionNewf(py.TypeError, "%s returned non-string (type %s)", name, typeName(res))
	}
	return string(s), nil
}

// exceptionText is str(e) as exceptions have it from BaseException: nothing, the one argument, or
// the tuple of all of them.
func exceptionText(e *py.Exception) (string, error) {
	args, _ := e.Args.(py.Tuple)
	switch {
	case e.Base.IsSubtype(py.SyntaxError):
		return syntaxErrorText(e)
	case len(args) == 0:
		return "", nil
	case len(args) == 1 && e.Base.IsSubtype(py.KeyError):
		return Repr(args[0])
	case len(args) == 1:
		return Str(args[0])
	case len(args) <= 5 && e.Base.IsSubtype(py.OSError):
		return osErrorText(e, args)
	}
	return Repr(args)
}

// printer writes reprs. It knows the containers it is in, because they may hold themselves.
type printer struct {
	strings.Builder
	around []py.Object
	depth  int
}

// repr writes the repr of one object.
func (p *printer) repr(o py.Object) error {
	if err := fitsText(p.Len() + sizeOf(o)); err != nil {
		return err
	}
	switch x := o.(type) {
	case py.NoneType:
		p.WriteString("None")
	case py.Bool:
		p.WriteString(serializer.Repr(bool(x)))
	case py.Int:
		p.WriteString(serializer.Repr(int64(x)))
	case *py.BigInt:
		i := (*big.Int)(x)
		if err := fitsDigits(i, 10); err != nil {
			return err
		}
		p.WriteString(i.String())
	case py.Float:
		p.WriteString(serializer.Repr(float64(x)))
	case py.Complex:
		p.WriteString(serializer.Repr(complex128(x)))
	case py.String:
		p.WriteString(serializer.Repr(string(x)))
	case py.Bytes:
		p.WriteString(serializer.Repr([]byte(x)))
	case py.Tuple:
		if len(x) == 1 {
			return p.items("(", x, ",)")
		}
		return p.items("(", x, ")")
	case *py.List:
		return p.within(o, "[...]", func() error { return p.items("[", x.Items, "]") })
	case *Dict:
		again := "{...}"
		if x.kind != nil {
			again = "..."
		}
		return p.within(o, again, func() error { return p.dict(x) })
	case py.StringDict:
		return p.within(o, "{...}", func() error { return p.dict(FromStringDict(x)) })
	case *Set:
		return p.within(o, "set(...)", func() error { return p.set("set", &x.table, "{", "}") })
	case *FrozenSet:
		return p.within(o, "frozenset(...)", func() error { return p.set("frozenset", &x.table, "frozenset({", "})") })
	case *py.Set:
		t, _ := setTable(x)
		return p.set("set", t, "{", "}")
	case *view:
		return p.within(o, "...", func() error { return p.view(x) })
	case Named:
		return p.named(x)
	case Listed:
		before, all, after := x.Listed()
		return p.within(o, "[...]", func() error { return p.items(before, all, after) })
	case *py.Exception, *py.Type:
		if method := instanceMethod(o, "__repr__"); method != nil {
			if valueOf(o) != nil && !Overrides(o, "__repr__") {
				return p.repr(plain(o))
			}
			s, err := textOf(method, o, "__repr__")
			p.WriteString(s)
			return err
		}
		return p.plain(o)
	default:
		return p.other(o)
	}
	return nil
}

// other writes an object that this package does not know, in gpython's way.
func (p *printer) other(o py.Object) error {
	if r, ok := o.(py.I__repr__); ok {
		res, err := r.M__repr__()
		if err != nil {
			return err
		}
		s, ok := res.(py.String)
		if !ok {
			return py.ExceptionNewf(py.TypeError, "__repr__ returned non-string (type %s)", typeName(res))
		}
		p.WriteString(string(s))
		return nil
	}
	switch x := o.(type) {
	case *py.Slice:
		p.WriteString("slice")
		return p.items("(", []py.Object{x.Start, x.Stop, x.Step}, ")")
	case *py.BoundMethod:
		if m, ok := x.Method.(*py.Method); ok {
			fmt.Fprintf(p, "<built-in method %s of %s object at 0x%x>", m.Name, typeName(x.Self), identity(x.Self))
			return nil
		}
		name := "?"
		if f, ok := x.Method.(*py.Function); ok {
			name = f.Qualname
		}
		fmt.Fprintf(p, "<bound method %s of ", name)
		if err := p.repr(x.Self); err != nil {
			return err
		}
		p.WriteString(">")
	case *py.Function:
		fmt.Fprintf(p, "<function %s at 0x%x>", x.Qualname, identity(o))
	case *py.Generator:
		name := x.Code.Name
		if x.Code.Weakreflist != nil { // where package gpython keeps the qualified name
			name = string(x.Code.Weakreflist.Items[0].(py.String))
		}
		fmt.Fprintf(p, "<generator object %s at 0x%x>", name, identity(o))
	case *py.Method:
		fmt.Fprintf(p, "<built-in function %s>", x.Name)
	default:
		fmt.Fprintf(p, "<%s object at 0x%x>", typeName(o), identity(o))
	}
	return nil
}

// within calls write for the container o, unless it is being written already.
func (p *printer) within(o py.Object, again string, write func() error) error {
	for _, other := range p.around {
		if Identical(o, other) {
			p.WriteString(again)
			return nil
		}
	}
	p.around = append(p.around, o)
	defer func() { p.around = p.around[:len(p.around)-1] }()
	return write()
}

func (p *printer) items(start string, all []py.Object, end string) error {
	if p.depth++; p.depth > deepest {
		return tooDeep("while getting the repr of an object")
	}
	defer func() { p.depth-- }()
	p.WriteString(start)
	for i, item := range all {
		if i > 0 {
			p.WriteString(", ")
		}
		if err := p.repr(item); err != nil {
			return err
		}
	}
	p.WriteString(end)
	return nil
}

// dict writes a dict.
func (p *printer) dict(d *Dict) error {
	if p.depth++; p.depth > deepest {
		return tooDeep("while getting the repr of an object")
	}
	defer func() { p.depth-- }()
	if d.kind != nil {
		return p.derived(d)
	}
	sep := "{"
	for _, e := range d.all() {
		if e.key == nil {
			continue
		}
		p.WriteString(sep)
		sep = ", "
		if err := p.repr(e.key); err != nil {
			return err
		}
		p.WriteString(": ")
		if err := p.repr(e.value); err != nil {
			return err
		}
	}
	if sep == "{" {
		p.WriteString(sep)
	}
	p.WriteString("}")
	return nil
}

func (p *printer) set(name string, t *table, start, end string) error {
	if t.len() == 0 {
		p.WriteString(name + "()")
		return nil
	}
	return p.items(start, t.keys(), end)
}

func (p *printer) view(v *view) error {
	name := v.Type().Name
	if v.dict.kind != nil && v.dict.kind.Ordered {
		name = "o" + name
	}
	p.WriteString(name)
	all, err := items(v)
	if err != nil {
		return err
	}
	return p.items("([", all, "])")
}

// plain writes an object as it is written when its class has no __repr__ of its own.
func (p *printer) plain(o py.Object) error {
	switch x := o.(type) {
	case *py.Exception:
		return p.exception(x)
	case *py.Type:
		p.instance(x)
		return nil
	}
	return p.repr(o)
}

func (p *printer) exception(e *py.Exception) error {
	if py.Object(e) == py.NotImplemented {
		p.WriteString("NotImplemented")
		return nil
	}
	p.WriteString(e.Base.Name)
	args, _ := e.Args.(py.Tuple)
	return p.items("(", args, ")")
}

// instance writes a class, or an instance of a class of the program.
func (p *printer) instance(x *py.Type) {
	if isClass(x) {
		name := Qualname(x)
		if module, ok := x.Dict["__module__"].(py.String); ok && module != "builtins" {
			name = string(module) + "." + name
		}
		fmt.Fprintf(p, "<class '%s'>", name)
		return
	}
	class := x.Type()
	name := Qualname(class)
	if module, ok := class.Dict["__module__"].(py.String); ok {
		name = string(module) + "." + name
	}
	fmt.Fprintf(p, "<%s object at 0x%x>", name, identity(x))
}
