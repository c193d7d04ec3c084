package gpython

// errno, which gpython v0.2.0 lacks: the numbers of this system by their names.

import (
	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// errnoModule makes the module.
func (in *interp) errnoModule() (*py.Module, error) {
	globals := py.StringDict{}
	names := pyvalue.NewDict()
	for _, e := range errorNumbers() {
		globals[e.name] = py.Int(e.number)
		if err := names.Set(py.Int(e.number), py.String(e.name)); err != nil {
			return nil, err
		}
	}
	globals["errorcode"] = names
	return in.newModule("errno", globals)
}

// namedNumber is an error of the system.
type namedNumber struct {
	name   string
	number int
}
