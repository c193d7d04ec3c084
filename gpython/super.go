package gpython

// super(), which gpython v0.2.0 lacks, although its compiler prepares for it.

import (
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// super is what super() returns: self, with the attributes that its class has from the classes that
// come after a certain class in its Mro.
type super struct {
	class *py.Type // that certain class
	self  py.Object
	of    *py.Type // the class of self, or self if that is a class
}

var superType = newType(py.ObjectType, "super", "The attributes that a class has from those it is derived from.")

func init() {
	superType.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("super", args, kwargs, 2, "type", "obj")
		if err != nil {
			return nil, err
		}
		return newSuper(a[0], a[1])
	}
}

// newSuper is super(of, self).
func newSuper(of, self py.Object) (py.Object, error) {
	class, ok := of.(*py.Type)
	if !ok || class.Name == "" {
		return nil, py.ExceptionNewf(py.TypeError, "super() argument 1 must be a type, not %s", of.Type().Name)
	}
	if t, ok := self.(*py.Type); ok && t.Name != "" && t.IsSubtype(class) {
		return &super{class, self, t}, nil
	}
	if t := self.Type(); t.IsSubtype(class) {
		return &super{class, self, t}, nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "super(type, obj): obj must be an instance or subtype of type")
}

// callSuper is super() without arguments, which takes them from the frame that calls it: the class
// is in a variable that gpython's compiler makes for functions that mention super.
func callSuper(v *vm.Vm) error {
	frame := machineOf(v).frame
	code := frame.Code
	self := firstArgument(frame)
	if self == nil {
		return py.ExceptionNewf(py.RuntimeError, "super(): no arguments")
	}
	at := slices.Index(code.Freevars, "__class__")
	if at < 0 {
		return py.ExceptionNewf(py.RuntimeError, "super(): __class__ cell not found")
	}
	class := frame.CellAndFreeVars[len(code.Cellvars)+at].(*py.Cell).Get()
	if class == nil {
		return py.ExceptionNewf(py.RuntimeError, "super(): empty __class__ cell")
	}
	s, err := newSuper(class, self)
	if err == nil {
		v.SET_TOP(s)
	}
	return err
}

// firstArgument is the first argument of the function that a frame runs, or nil. It is in a cell if
// functions in it use it.
func firstArgument(frame *py.Frame) py.Object {
	if frame.Code.Argcount == 0 {
		return nil
	}
	if cell := slices.Index(frame.Code.Cell2arg, 0); cell >= 0 {
		return frame.CellAndFreeVars[cell].(*py.Cell).Get()
	}
	return frame.LocalVars[0]
}

func (s *super) Type() *py.Type { return superType }

func (s *super) M__getattribute__(name string) (py.Object, error) {
	behind := slices.Index(s.of.Mro, py.Object(s.class)) + 1
	value := pyvalue.Inherited(s.of.Mro[behind:], name)
	if value == nil || name == "__class__" {
		return nil, noAttribute(s, name)
	}
	get, ok := value.(py.I__get__)
	if !ok || name == "__new__" { // which is given the class
		return value, nil
	}
	if s.self == py.Object(s.of) {
		return get.M__get__(py.None, s.of)
	}
	return get.M__get__(s.self, s.of)
}

func (s *super) M__repr__() (py.Object, error) {
	text, err := pyvalue.Repr(s.class)
	return py.String("<super: " + text + ">"), err
}
