package pyvalue

import (
	"github.com/go-python/gpython/py"
)

// newInstance makes an instance of a class of the program, by its __new__ if it has one.
func newInstance(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if method, ok := class.Lookup("__new__").(py.I__get__); ok {
		function, err := method.M__get__(py.None, class)
		if err != nil {
			return nil, err
		}
		return py.Call(function, append(py.Tuple{class}, args...), kwargs)
	}
	if len(args)+len(kwargs) > 0 && class.Lookup("__init__") == nil {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes no arguments", class.Name)
	}
	return allocate(class)
}

// allocate makes an instance. gpython makes it a py.Type, and to call it calls that type's New:
// which is how instances that have __call__ are called. By its Mro gpython finds methods such as
// __getattr__ and __next__ that the class has inherited; the class itself, which is first, and
// object, which has none, would only take time at each attribute.
func allocate(class *py.Type) (py.Object, error) {
	o, err := py.ObjectNew(class, nil, nil)
	if instance, ok := o.(*py.Type); ok {
		instance.New, instance.Mro = callInstance, class.Mro[1:max(1, len(class.Mro)-1)]
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
