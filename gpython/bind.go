package gpython

// How a call's arguments become a function's variables. gpython v0.2.0 passes keywords in a Go map,
// so that **kwargs have no order, and names functions without their classes in its errors.

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// keywords is the order of the keywords of a call: the map is what gpython passes on.
type keywords struct {
	named py.StringDict
	order []string
}

// orderOf returns the keywords of a call in the caller's order. Where that is not known, as in
// calls by Go code, they are sorted.
func orderOf(ctx py.Context, named py.StringDict) []string {
	if order := pyvalue.OrderOf(named); order != nil {
		return order
	}
	if in, ok := ctx.(*interp); ok && len(named) > 1 && len(in.keywords.order) == len(named) && sameMap(in.keywords.named, named) {
		return in.keywords.order
	}
	order := make([]string, 0, len(named))
	for name := range named {
		order = append(order, name)
	}
	slices.Sort(order)
	return order
}

// newFrame makes the frame of a call: the code's variables with the arguments in them.
func newFrame(ctx py.Context, co *py.Code, globals, locals py.StringDict, args []py.Object, named py.StringDict,
	defaults []py.Object, namedDefaults py.StringDict, closure py.Tuple) (*py.Frame, error) {
	f := py.NewFrame(ctx, globals, locals, co, closure)
	fast := f.Localsplus
	positional, params := int(co.Argcount), int(co.Argcount+co.Kwonlyargcount)
	given := min(len(args), positional)
	copy(fast, args[:given])
	next := params
	if co.Flags&py.CO_VARARGS != 0 {
		fast[next] = append(make(py.Tuple, 0, len(args)-given), args[given:]...)
		next++
	}
	var rest *pyvalue.Dict
	if co.Flags&py.CO_VARKEYWORDS != 0 {
		rest = pyvalue.NewDict()
		fast[next] = rest
	}
	if len(named) > 0 {
		only := positionalOnly(co)
		for _, name := range orderOf(ctx, named) {
			at := slices.Index(co.Varnames[:params], name)
			if at >= 0 && at < only {
				at = -1
			}
			switch {
			case at < 0 && rest == nil && len(amongNames(co.Varnames[:only], named)) > 0:
				return nil, py.ExceptionNewf(py.TypeError, "%s() got some positional-only arguments passed as keyword arguments: '%s'", qualname(co),
					strings.Join(amongNames(co.Varnames[:only], named), ", "))
			case at < 0 && rest == nil:
				return nil, py.ExceptionNewf(py.TypeError, "%s() got an unexpected keyword argument '%s'", qualname(co), name)
			case at < 0:
				_ = rest.Set(py.String(name), named[name]) // a str is hashable
			case fast[at] != nil:
				return nil, py.ExceptionNewf(py.TypeError, "%s() got multiple values for argument '%s'", qualname(co), name)
			default:
				fast[at] = named[name]
			}
		}
	}
	if len(args) > positional && co.Flags&py.CO_VARARGS == 0 {
		return nil, tooMany(co, len(args), len(defaults), fast)
	}
	if given < positional {
		first := positional - len(defaults) // of those that have a default
		if missing := unset(co, fast, given, first); len(missing) > 0 {
			return nil, missingArguments(qualname(co)+"()", "positional", missing)
		}
		for i := max(given, first); i < positional; i++ {
			if fast[i] == nil {
				fast[i] = defaults[i-first]
			}
		}
	}
	if co.Kwonlyargcount > 0 {
		for i := positional; i < params; i++ {
			if value, ok := namedDefaults[co.Varnames[i]]; ok && fast[i] == nil {
				fast[i] = value
			}
		}
		if missing := unset(co, fast, positional, params); len(missing) > 0 {
			return nil, missingArguments(qualname(co)+"()", "keyword-only", missing)
		}
	}
	for i := range co.Cellvars {
		cell := py.NewCell(nil)
		if co.Cell2arg != nil && co.Cell2arg[i] != py.CO_CELL_NOT_AN_ARG {
			at := co.Cell2arg[i]
			cell, fast[at] = py.NewCell(fast[at]), nil
		}
		fast[int(co.Nlocals)+i] = cell
	}
	copy(f.CellAndFreeVars[len(co.Cellvars):], closure)
	return f, nil
}

// amongNames are the names that are keywords of a call.
func amongNames(names []string, named py.StringDict) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return named[name] == nil })
}

// unset are the parameters in a range that have no value, quoted.
func unset(co *py.Code, fast []py.Object, from, to int) []string {
	var names []string
	for i := from; i < to; i++ {
		if fast[i] == nil {
			names = append(names, "'"+co.Varnames[i]+"'")
		}
	}
	return names
}

// missingArguments is the error for a call of a function that lacks arguments, whose names are
// quoted. which says of what kind they are.
func missingArguments(function, which string, names []string) error {
	text, plural := names[0], ""
	if last := len(names) - 1; last > 0 {
		text, plural = strings.Join(names[:last], ", "), "s"
		if last > 1 {
			text += ","
		}
		text += " and " + names[last]
	}
	return py.ExceptionNewf(py.TypeError, "%s missing %d required %s argument%s: %s", function, len(names), which, plural, text)
}

func tooMany(co *py.Code, given, defaults int, fast []py.Object) error {
	plural := func(n int) string {
		if n == 1 {
			return ""
		}
		return "s"
	}
	takes, ending := fmt.Sprint(co.Argcount), plural(int(co.Argcount))
	if defaults > 0 {
		takes, ending = fmt.Sprintf("from %d to %d", int(co.Argcount)-defaults, co.Argcount), "s"
	}
	named := int(co.Kwonlyargcount) - len(unset(co, fast, int(co.Argcount), int(co.Argcount+co.Kwonlyargcount)))
	also, were := "", "were"
	if named > 0 {
		also = fmt.Sprintf(" positional argument%s (and %d keyword-only argument%s)", plural(given), named, plural(named))
	} else if given == 1 {
		were = "was"
	}
	return py.ExceptionNewf(py.TypeError, "%s() takes %s positional argument%s but %d%s %s given", qualname(co), takes, ending, given, also, were)
}

// runCode calls a function, or runs a module.
func runCode(ctx py.Context, co *py.Code, globals, locals py.StringDict, args []py.Object, named py.StringDict, defaults []py.Object,
	namedDefaults py.StringDict, closure py.Tuple) (py.Object, error) {
	f, err := newFrame(ctx, co, globals, locals, args, named, defaults, namedDefaults, closure)
	if err != nil {
		return nil, err
	}
	if co.Flags&py.CO_GENERATOR != 0 {
		return py.NewGenerator(f), nil
	}
	return vm.RunFrame(f)
}
