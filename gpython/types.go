package gpython

// What types made in Go have in common: how a type is made, objects with attributes (sys.flags,
// os.stat_result), and tuples whose items have names (sys.version_info, time.struct_time). gpython
// v0.2.0 completes its own types when it starts, and no others, so that isinstance and method
// lookup fail with them; it has no named tuples.

import (
	"slices"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// newType makes a type with a base, complete: gpython does that for its own types only, when it
// starts.
func newType(base *py.Type, name, doc string) *py.Type {
	return complete(base.NewTypeFlags(name, doc, nil, nil, base.Flags&^py.TPFLAGS_READY))
}

// complete makes a type ready again, with its methods and its place among the classes.
func complete(t *py.Type) *py.Type {
	t.Flags &^= py.TPFLAGS_READY
	if err := t.Ready(); err != nil {
		panic(err) // a mistake in this package
	}
	return t
}

// execnetType makes the type of an object that execnet has, too.
func execnetType(base *py.Type, name, doc string) *py.Type {
	t := newType(base, name, doc)
	t.Dict["__module__"] = py.String("execnet.gateway_base")
	return t
}

// record is an object with attributes that programs read.
type record struct {
	class *py.Type
	text  string // its repr
	attrs py.StringDict
}

func (r *record) Type() *py.Type { return r.class }

func (r *record) M__repr__() (py.Object, error) { return py.String(r.text), nil }

func (r *record) M__str__() (py.Object, error) { return r.M__repr__() }

func (r *record) M__getattr__(name string) (py.Object, error) {
	if value, ok := r.attrs[name]; ok {
		return value, nil
	}
	return nil, noAttribute(r, name)
}

// namedTuple is a tuple whose items have names.
type namedTuple struct {
	py.Tuple
	class  *py.Type
	fields []string
	more   py.StringDict // attributes that come before the items
}

// Named is for package pyvalue, which writes and hashes the tuple.
func (t *namedTuple) Named() (class string, fields []string, items py.Tuple) {
	return t.class.Name, t.fields, t.Tuple
}

func (t *namedTuple) Type() *py.Type { return t.class }

func (t *namedTuple) M__getattr__(name string) (py.Object, error) {
	if value, ok := t.more[name]; ok {
		return value, nil
	}
	if i := slices.Index(t.fields, name); i >= 0 {
		return t.Tuple[i], nil
	}
	return nil, noAttribute(t, name)
}

func (t *namedTuple) M__repr__() (py.Object, error) {
	text, err := pyvalue.Repr(t)
	return py.String(text), err
}

func (t *namedTuple) M__str__() (py.Object, error) { return t.M__repr__() }

// M__add__ gives a plain tuple. gpython's own leaves a hole in it.
func (t *namedTuple) M__add__(other py.Object) (py.Object, error) {
	b, ok := other.(py.Tuple)
	if !ok {
		return py.NotImplemented, nil
	}
	return slices.Concat(t.Tuple, b), nil
}

// compare orders the tuple and another one by their first items that differ.
func (t *namedTuple) compare(other py.Object) (int, bool, error) {
	b, ok := other.(py.Tuple)
	if o, is := other.(*namedTuple); is {
		b, ok = o.Tuple, true
	}
	if !ok {
		return 0, false, nil
	}
	for i := 0; i < len(t.Tuple) && i < len(b); i++ {
		same, err := pyvalue.Equal(t.Tuple[i], b[i])
		if err != nil {
			return 0, true, err
		}
		if same {
			continue
		}
		less, err := py.Lt(t.Tuple[i], b[i])
		if less == py.True {
			return -1, true, err
		}
		return 1, true, err
	}
	return len(t.Tuple) - len(b), true, nil
}

func (t *namedTuple) is(other py.Object, holds func(c int) bool) (py.Object, error) {
	c, ok, err := t.compare(other)
	if !ok || err != nil {
		return py.NotImplemented, err
	}
	return py.NewBool(holds(c)), nil
}

func (t *namedTuple) M__lt__(o py.Object) (py.Object, error) {
	return t.is(o, func(c int) bool { return c < 0 })
}
func (t *namedTuple) M__le__(o py.Object) (py.Object, error) {
	return t.is(o, func(c int) bool { return c <= 0 })
}
func (t *namedTuple) M__eq__(o py.Object) (py.Object, error) {
	return t.is(o, func(c int) bool { return c == 0 })
}
func (t *namedTuple) M__ne__(o py.Object) (py.Object, error) {
	return t.is(o, func(c int) bool { return c != 0 })
}
func (t *namedTuple) M__ge__(o py.Object) (py.Object, error) {
	return t.is(o, func(c int) bool { return c >= 0 })
}
func (t *namedTuple) M__gt__(o py.Object) (py.Object, error) {
	return t.is(o, func(c int) bool { return c > 0 })
}
