package pyvalue

import (
	"maps"

	"github.com/go-python/gpython/py"
)

// builtins are what Builtins copies; filled while the program starts.
var builtins = py.StringDict{}

// Builtins are the functions and types to put over a context's builtins, in a new dict each time.
func Builtins() py.StringDict { return maps.Clone(builtins) }
