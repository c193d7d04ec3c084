package cpython

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/pyparts"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

//go:embed gofinder.py
var gofinder string

// What makes the modules of the functions and the calls travels as one source. Its parts stand in
// files, each for one job; the numbers in their names say the order.
//
//go:embed gofunctions/*.py
var functionParts embed.FS

// gofunctions is the source that the parts make together.
var gofunctions = sync.OnceValue(func() string { return pyparts.Join(functionParts, "gofunctions") })

// prepare is what the Python worker executes so that programs find the functions. channelID is
// where the interpreter sends calls that have their place among what it sends.
func (c *calls) prepare(channelID int) string {
	if len(c.functions) == 0 {
		return ""
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.functions)) {
		names = append(names, pystring.ASCII(name))
	}
	return fmt.Sprintf("%s\n\nfind_go_functions(gateway, [%s], %s, %s, %d, %s)\n",
		gofinder, strings.Join(names, ", "), pystring.ASCII(gofunctions()), pystring.Bytes(described(c.functions)),
		channelID, c.theirs.arguments())
}

// described tells what the modules have, in the serializer's form: for each function Python's
// parameters, its documentation, whether it uses the execution's channel, and whether that or its
// context.
func described(functions engine.Functions) []byte {
	modules := map[string]map[string]serializer.Tuple{}
	for module, funcs := range functions {
		modules[module] = map[string]serializer.Tuple{}
		for name, f := range funcs {
			modules[module][name] = serializer.Tuple{f.Signature, f.Doc, f.Channel, f.Channel || f.Context}
		}
	}
	data, err := (&serializer.Codec{}).Append(nil, modules)
	if err != nil {
		panic("texts cannot be serialized: " + err.Error())
	}
	return data
}
