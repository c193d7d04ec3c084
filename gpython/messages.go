package gpython

import (
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// betterMessages gives errors of statements the class and the words that Python has for them.
func betterMessages() {
	with := jumpTable[vm.SETUP_WITH]
	jumpTable[vm.SETUP_WITH] = func(v *vm.Vm, delta int32) error {
		manager := v.TOP()
		for i, name := range []string{"__enter__", "__exit__"} {
			if _, err := py.GetAttrString(manager, name); py.IsException(py.AttributeError, err) {
				return py.ExceptionNewf(py.TypeError, "'%s' object does not support the context manager protocol%s",
					manager.Type().Name, []string{"", " (missed __exit__ method)"}[i])
			}
		}
		return with(v, delta)
	}
	importFrom := jumpTable[vm.IMPORT_FROM]
	jumpTable[vm.IMPORT_FROM] = func(v *vm.Vm, name int32) error {
		module, ok := v.TOP().(*py.Module)
		err := importFrom(v, name)
		if !ok || !py.IsException(py.ImportError, err) {
			return err
		}
		return py.ExceptionNewf(py.ImportError, "cannot import name '%s' from '%s' (unknown location)",
			machineOf(v).frame.Code.Names[name], module.ModuleImpl.Info.Name)
	}
}
