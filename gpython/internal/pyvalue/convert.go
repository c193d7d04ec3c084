package pyvalue

// From Python objects to the Go values that package serializer sends, and back. What cannot be sent
// is execnet's DumpError, with the place in the value.

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/serializer"
	"github.com/go-python/gpython/py"
)

// Channels turns channels into the objects that programs see, and back.
type Channels interface {
	// Wrap gives the object for a channel. It always gives the same one for the same channel, if
	// programs are to see that they are.
	Wrap(ch serializer.Channel) py.Object
	// Unwrap gives the channel of such an object, and false for any other object.
	Unwrap(o py.Object) (serializer.Channel, bool)
}

// FromGo makes the Python object for a value as serializer.Loads gives it. Containers are copied.
// chans may be nil when the value holds no channel. The error names a Go type that has no Python
// counterpart.
func FromGo(v any, chans Channels) (py.Object, error) {
	switch x := v.(type) {
	case nil:
		return py.None, nil
	case bool:
		return py.NewBool(x), nil
	case int64:
		return py.Int(x), nil
	case int:
		return py.Int(x), nil
	case *big.Int:
		return intObject(new(big.Int).Set(x)), nil
	case float64:
		return py.Float(x), nil
	case complex128:
		return py.Complex(x), nil
	case string:
		return py.String(x), nil
	case []byte:
		return py.Bytes(slices.Clone(x)), nil
	case []any:
		all, err := fromGoItems(slices.Values(x), len(x), chans)
		return &py.List{Items: all}, err
	case serializer.Tuple:
		all, err := fromGoItems(slices.Values(x), len(x), chans)
		return py.Tuple(all), err
	case *serializer.Set:
		all, err := fromGoItems(x.All(), x.Len(), chans)
		if err != nil {
			return nil, err
		}
		return NewSet(all...)
	case serializer.FrozenSet:
		all, err := fromGoItems(x.All(), x.Len(), chans)
		if err != nil {
			return nil, err
		}
		return NewFrozenSet(all...)
	case *serializer.Dict:
		return fromGoDict(x, chans)
	case serializer.Channel:
		if chans != nil {
			return chans.Wrap(x), nil
		}
	}
	return nil, fmt.Errorf("a Go %T has no counterpart in Python", v)
}

func fromGoItems(values func(func(any) bool), n int, chans Channels) ([]py.Object, error) {
	all := make([]py.Object, 0, n)
	for v := range values {
		o, err := FromGo(v, chans)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

func fromGoDict(x *serializer.Dict, chans Channels) (py.Object, error) {
	d := NewDict()
	for k, v := range x.All() {
		key, err := FromGo(k, chans)
		if err != nil {
			return nil, err
		}
		value, err := FromGo(v, chans)
		if err != nil {
			return nil, err
		}
		if err := d.Set(key, value); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// ToGo makes the value that the serializer can send for a Python object: int64 or *big.Int, string,
// []byte, []any, serializer.Tuple, *serializer.Dict, *serializer.Set, serializer.FrozenSet, what
// chans unwraps. Containers are copied.
//
// An int of more than 4300 digits is a ValueError, because a CPython from 3.11 on could not load
// it. For anything else it returns a *serializer.DumpError with the path of the object and, as its
// Msg, the text that execnet's DumpError has (_Serializer._save in gateway_base.py): "can't
// serialize <class 'function'>".
func ToGo(o py.Object, chans Channels) (any, error) {
	c := converter{chans: chans, around: map[uintptr]bool{}}
	return c.toGo(o)
}

type converter struct {
	chans  Channels
	around map[uintptr]bool // the identities of the mutable containers that o is in
	path   []string
	depth  int
	size   total // of what has been converted: one object may be in the value many times
}

// toGo converts one object.
func (c *converter) toGo(o py.Object) (any, error) {
	switch x := o.(type) {
	case py.NoneType:
		return nil, nil
	case py.Bool:
		return bool(x), nil
	case py.Int:
		return int64(x), nil
	case *py.BigInt:
		i := (*big.Int)(x)
		if err := fitsDigits(i, 10); err != nil {
			return nil, err
		}
		return new(big.Int).Set(i), nil
	case py.Float:
		return float64(x), nil
	case py.Complex:
		return complex128(x), nil
	case py.String:
		return string(x), c.size.add(len(x))
	case py.Bytes:
		if err := c.size.add(len(x)); err != nil {
			return nil, err
		}
		return append([]byte{}, x...), nil
	case *py.List:
		return within(c, o, func() (any, error) { return c.items(x.Items) })
	case py.Tuple:
		all, err := c.items(x)
		return serializer.Tuple(all), err
	case *Dict:
		if x.kind != nil {
			break
		}
		return within(c, o, func() (any, error) { return c.dict(x) })
	case py.StringDict:
		return within(c, o, func() (any, error) { return c.dict(FromStringDict(x)) })
	case *Set:
		return c.set(&x.table)
	case *py.Set:
		t, _ := setTable(x)
		return c.set(t)
	case *FrozenSet:
		all, err := c.items(x.keys())
		if err != nil {
			return nil, err
		}
		return serializer.NewFrozenSet(all...), nil
	}
	if c.chans != nil {
		if ch, ok := c.chans.Unwrap(o); ok {
			return ch, nil
		}
	}
	class, err := Repr(classOf(o))
	if err != nil {
		return nil, err
	}
	return nil, c.fail("can't serialize " + class)
}

func (c *converter) fail(msg string) error {
	return &serializer.DumpError{Path: strings.Join(c.path, ""), Problem: msg}
}

// enter counts how deep o is nested; what the serializer would refuse need not be converted.
func (c *converter) enter() error {
	if c.depth++; c.depth > serializer.DefaultMaxDepth {
		return c.fail(fmt.Sprintf("nested more than %d levels deep", serializer.DefaultMaxDepth))
	}
	return nil
}

func (c *converter) leave() { c.depth-- }

// within converts a container, unless it is in itself.
func within(c *converter, o py.Object, convert func() (any, error)) (any, error) {
	id := identity(o)
	if c.around[id] {
		return nil, c.fail("the " + typeName(o) + " contains itself")
	}
	c.around[id] = true
	v, err := convert()
	delete(c.around, id)
	return v, err
}

func (c *converter) items(all []py.Object) ([]any, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	if err := c.size.add(itemBytes * len(all)); err != nil {
		return nil, err
	}
	out := make([]any, len(all))
	for i, item := range all {
		c.path = append(c.path, fmt.Sprintf("[%d]", i))
		v, err := c.toGo(item)
		if err != nil {
			return nil, err
		}
		out[i], c.path = v, c.path[:len(c.path)-1]
	}
	return out, nil
}

// dict converts a dict; the keys are values, too.
func (c *converter) dict(x *Dict) (any, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	d := new(serializer.Dict)
	for _, e := range x.all() {
		if e.key == nil {
			continue
		}
		step, err := Repr(e.key)
		if err != nil {
			return nil, err
		}
		c.path = append(c.path, "["+step+"]")
		key, err := c.toGo(e.key)
		if err != nil {
			return nil, err
		}
		value, err := c.toGo(e.value)
		if err != nil {
			return nil, err
		}
		if err := d.Set(key, value); err != nil {
			return nil, c.fail(err.Error())
		}
		c.path = c.path[:len(c.path)-1]
	}
	return d, nil
}

func (c *converter) set(t *table) (any, error) {
	all, err := c.items(t.keys())
	if err != nil {
		return nil, err
	}
	s := new(serializer.Set)
	for _, item := range all {
		if err := s.Add(item); err != nil {
			return nil, c.fail(err.Error())
		}
	}
	return s, nil
}
