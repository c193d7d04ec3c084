package pyvalue

import (
	"github.com/go-python/gpython/py"
)

// newInstance makes an instance of a class of the program. gpython makes it a py.Type, and to call it calls that type's
// New: which is how instances that have __call__ are called.
func newInstance(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	o, err := py.ObjectNew(class, args, kwargs)
	if instance, ok := o.(*py.Type); ok {
		instance.New = callInstance
	}
	return o, err
}

func callInstance(instance *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	method := instance.Type().Lookup("__call__")
	if method == nil {
		return nil, py.ExceptionNewf(py.TypeError, "'%s' object is not callable", typeName(instance))
	}
	return py.Call(method, append(py.Tuple{instance}, args...), kwargs)
}
