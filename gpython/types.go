package gpython

import "github.com/go-python/gpython/py"

// newType makes a type with a base, complete: gpython does that for its own types only, when it
// starts.
func newType(base *py.Type, name, doc string) *py.Type {
	return complete(base.NewTypeFlags(name, doc, nil, nil, base.Flags&^py.TPFLAGS_READY))
}

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

func init() {
	for _, name := range []string{"Error", "Incomplete"} {
		complete(py.GetModuleImpl("binascii").Globals[name].(*py.Type))
	}
}
