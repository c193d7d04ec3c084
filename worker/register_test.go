package worker

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// register registers functions for one test.
func register(t *testing.T, module string, funcs Funcs) {
	t.Helper()
	Register(module, funcs)
	t.Cleanup(func() {
		registered.mu.Lock()
		defer registered.mu.Unlock()
		delete(registered.funcs, module)
	})
}

func TestRegisterRefuses(t *testing.T) {
	register(t, "taken", Funcs{"f": func() {}})
	for says, try := range map[string]func(){
		`"" is no name of a Python module`:         func() { Register("", nil) },
		`"a..b" is no name of a Python module`:     func() { Register("a..b", nil) },
		`"import" is no name of a Python module`:   func() { Register("import", nil) },
		`"f g" is no name of a Python function`:    func() { Register("m", Funcs{"f g": func() {}}) },
		`"lambda" is no name of a Python function`: func() { Register("m", Funcs{"lambda": func() {}}) },
		"taken.f is registered already":            func() { Register("taken", Funcs{"f": func() {}}) },
		"m.f is a int, not a function":             func() { Register("m", Funcs{"f": 3}) },
	} {
		assert.PanicsWithValue(t, "execnet: worker.Register: "+says, try)
	}
	assert.NotPanics(t, func() { Register("taken", Funcs{"g": func() {}}) }, "in several parts")
	fs := registered.modules()
	assert.Contains(t, fs.engine["taken"], "g")
	assert.NotContains(t, fs.engine, "m", "a module that was refused is not there in part")
}

func TestWorkerWithoutFunctions(t *testing.T) {
	fs := new(registry).modules()
	_, err := fs.find("math.sqrt")
	assert.ErrorContains(t, err, "No module named 'math'; this is a Go worker, with no modules for calls, and without a CPython")
}
