package gpython

import "github.com/go-python/gpython/py"

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
