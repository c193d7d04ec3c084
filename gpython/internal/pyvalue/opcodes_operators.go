package pyvalue

import (
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// replaceOperators makes the interpreter's operators and subscripts this package's.
func replaceOperators() {
	for code, op := range map[vm.OpCode]operation{
		vm.BINARY_ADD: opAdd, vm.BINARY_SUBTRACT: opSub, vm.BINARY_MULTIPLY: opMul, vm.BINARY_TRUE_DIVIDE: opTrueDiv,
		vm.BINARY_FLOOR_DIVIDE: opFloorDiv, vm.BINARY_MODULO: opMod, vm.BINARY_POWER: opPow, vm.BINARY_LSHIFT: opLshift,
		vm.BINARY_RSHIFT: opRshift, vm.BINARY_AND: opAnd, vm.BINARY_XOR: opXor, vm.BINARY_OR: opOr,
	} {
		replaceBinary(code, func(a, b py.Object) (py.Object, error) { return binary(op, a, b) })
	}
	for code, op := range map[vm.OpCode]operation{
		vm.INPLACE_ADD: opAdd, vm.INPLACE_SUBTRACT: opSub, vm.INPLACE_MULTIPLY: opMul, vm.INPLACE_TRUE_DIVIDE: opTrueDiv,
		vm.INPLACE_FLOOR_DIVIDE: opFloorDiv, vm.INPLACE_MODULO: opMod, vm.INPLACE_POWER: opPow, vm.INPLACE_LSHIFT: opLshift,
		vm.INPLACE_RSHIFT: opRshift, vm.INPLACE_AND: opAnd, vm.INPLACE_XOR: opXor, vm.INPLACE_OR: opOr,
	} {
		replaceBinary(code, func(a, b py.Object) (py.Object, error) { return inplace(op, a, b) })
	}
	replaceBinary(vm.BINARY_SUBSCR, getItem)
	replaceUnary(vm.UNARY_NEGATIVE, "neg", "-")
	replaceUnary(vm.UNARY_POSITIVE, "pos", "+")
	replaceUnary(vm.UNARY_INVERT, "invert", "~")
	jumpTable[vm.STORE_SUBSCR] = func(v *vm.Vm, _ int32) error {
		key, o, value := v.TOP(), v.SECOND(), v.THIRD()
		v.DROPN(3)
		return assignItem(o, key, value)
	}
	jumpTable[vm.DELETE_SUBSCR] = func(v *vm.Vm, _ int32) error {
		key, o := v.TOP(), v.SECOND()
		v.DROPN(2)
		return deleteItem(o, key)
	}
}

func replaceBinary(code vm.OpCode, f func(a, b py.Object) (py.Object, error)) {
	jumpTable[code] = func(v *vm.Vm, _ int32) error {
		res, err := f(v.SECOND(), v.TOP())
		if err != nil {
			return err
		}
		v.DROP()
		v.SET_TOP(res)
		return nil
	}
}

func replaceUnary(code vm.OpCode, name, symbol string) {
	jumpTable[code] = func(v *vm.Vm, _ int32) error {
		res, err := unary(name, symbol, v.TOP())
		if err == nil {
			v.SET_TOP(res)
		}
		return err
	}
}
