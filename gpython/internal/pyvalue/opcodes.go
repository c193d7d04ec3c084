package pyvalue

import (
	_ "unsafe" // for go:linkname

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// jumpTable is where gpython's interpreter finds what each opcode does. Replacing entries is the
// one way to give its own Go types operators, and displays other types, without changing its source
// or rewriting each program's bytecode.
//
//go:linkname jumpTable github.com/go-python/gpython/vm.jumpTable
var jumpTable [256]func(*vm.Vm, int32) error

func init() {
	jumpTable[vm.BUILD_MAP] = func(v *vm.Vm, _ int32) error {
		v.PUSH(NewDict())
		return nil
	}
	jumpTable[vm.STORE_MAP] = func(v *vm.Vm, _ int32) error {
		key, value := v.TOP(), v.SECOND()
		v.DROPN(2)
		return v.TOP().(*Dict).put(key, value)
	}
	jumpTable[vm.MAP_ADD] = func(v *vm.Vm, i int32) error {
		key, value := v.TOP(), v.SECOND()
		v.DROPN(2)
		return v.PEEK(int(i)).(*Dict).put(key, value)
	}
	jumpTable[vm.BUILD_SET] = func(v *vm.Vm, n int32) error {
		s := new(Set)
		for i := int(n); i > 0; i-- {
			if err := s.Add(v.PEEK(i)); err != nil {
				return err
			}
		}
		v.DROPN(int(n))
		v.PUSH(s)
		return nil
	}
	jumpTable[vm.SET_ADD] = func(v *vm.Vm, i int32) error {
		item := v.POP()
		return v.PEEK(int(i)).(*Set).Add(item)
	}
	replaceOperators()
	replaceComparison()
	replaceIteration()
	replaceCalls()
	replaceTruth()
	replaceFunctions()
	replaceUnpacking()
	loadAttr := jumpTable[vm.LOAD_ATTR]
	jumpTable[vm.LOAD_ATTR] = func(v *vm.Vm, name int32) error {
		o := v.TOP()
		if err := loadAttr(v, name); err != nil {
			return attributeError(err, o)
		}
		v.SET_TOP(classAttr(o, v.TOP()))
		return nil
	}
}

func replaceComparison() {
	compare := jumpTable[vm.COMPARE_OP]
	jumpTable[vm.COMPARE_OP] = func(v *vm.Vm, op int32) error {
		b, a := v.TOP(), v.SECOND()
		var res py.Object
		switch op {
		case vm.PyCmp_LT, vm.PyCmp_LE, vm.PyCmp_EQ, vm.PyCmp_NE, vm.PyCmp_GT, vm.PyCmp_GE:
			var err error
			if res, err = compareObjects(comparison(op-vm.PyCmp_LT), a, b); err != nil {
				return err
			}
		case vm.PyCmp_IN, vm.PyCmp_NOT_IN:
			found, err := contains(b, a)
			if err != nil {
				return err
			}
			res = py.NewBool(found == (op == vm.PyCmp_IN))
		case vm.PyCmp_IS, vm.PyCmp_IS_NOT:
			res = py.NewBool(identical(a, b) == (op == vm.PyCmp_IS))
		default:
			return compare(v, op)
		}
		v.DROP()
		v.SET_TOP(res)
		return nil
	}
}

// exhausted is an iterator at its end.
var exhausted = py.NewIterator(py.Tuple{})

func replaceIteration() {
	jumpTable[vm.GET_ITER] = func(v *vm.Vm, _ int32) error {
		it, err := iter(v.TOP())
		if err == nil {
			v.SET_TOP(it)
		}
		return err
	}
	// gpython takes any exception of an iterator for its end.
	forIter := jumpTable[vm.FOR_ITER]
	jumpTable[vm.FOR_ITER] = func(v *vm.Vm, delta int32) error {
		item, err := py.Next(v.TOP())
		switch {
		case err == nil:
			v.PUSH(item)
			return nil
		case py.IsException(py.StopIteration, err):
			v.SET_TOP(exhausted)
			return forIter(v, delta)
		}
		return err
	}
}

func replaceCalls() {
	// The keywords of dict(a=1) and d.update(a=1) are put in their order, which gpython does not
	// keep.
	call := jumpTable[vm.CALL_FUNCTION]
	jumpTable[vm.CALL_FUNCTION] = func(v *vm.Vm, argc int32) error {
		args, keywords := int(argc&0xff), int(argc>>8&0xff)
		if keywords < 2 {
			return call(v, argc)
		}
		fn := v.PEEK(args + 2*keywords + 1)
		var d *Dict
		if fn == py.Object(py.StringDictType) {
			d = NewDict()
		} else if m, ok := fn.(*py.BoundMethod); ok && m.Method == py.StringDictType.Dict["update"] {
			d, _ = m.Self.(*Dict)
		}
		if d == nil || args > 1 {
			return call(v, argc)
		}
		if args == 1 {
			if err := d.update(v.PEEK(2*keywords + 1)); err != nil {
				return err
			}
		}
		for i := 2 * keywords; i > 0; i -= 2 {
			if err := d.put(v.PEEK(i), v.PEEK(i-1)); err != nil {
				return err
			}
		}
		v.DROPN(args + 2*keywords)
		if _, ok := fn.(*py.BoundMethod); ok {
			v.SET_TOP(py.None)
		} else {
			v.SET_TOP(d)
		}
		return nil
	}
	for _, op := range []vm.OpCode{vm.CALL_FUNCTION_KW, vm.CALL_FUNCTION_VAR_KW} {
		call := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, n int32) error {
			if d, ok := v.TOP().(*Dict); ok {
				kwargs, err := d.StringDict()
				if err != nil {
					return err
				}
				v.SET_TOP(kwargs)
			}
			return call(v, n)
		}
	}
}

func replaceTruth() {
	jumpTable[vm.UNARY_NOT] = func(v *vm.Vm, _ int32) error {
		yes, err := truth(v.TOP())
		if err == nil {
			v.SET_TOP(py.NewBool(!yes))
		}
		return err
	}
	for _, op := range []vm.OpCode{
		vm.POP_JUMP_IF_FALSE, vm.POP_JUMP_IF_TRUE, vm.JUMP_IF_FALSE_OR_POP, vm.JUMP_IF_TRUE_OR_POP,
	} {
		jump := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, target int32) error {
			top := v.TOP()
			if _, ok := top.(py.Bool); ok {
				return jump(v, target)
			}
			yes, err := truth(top)
			if err != nil {
				return err
			}
			v.SET_TOP(py.NewBool(yes))
			level := v.STACK_LEVEL()
			if err := jump(v, target); err != nil {
				return err
			}
			if v.STACK_LEVEL() == level {
				v.SET_TOP(top) // the jump kept the value
			}
			return nil
		}
	}
}
