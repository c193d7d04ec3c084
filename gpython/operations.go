package gpython

// What the trees of package syntax call where gpython's Python 3.4 has no instruction: f-strings,
// unpacking in displays and calls, annotations of variables.

import (
	"strings"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

// callOperation carries out an operation. Its arguments are above the top of the stack.
func callOperation(v *vm.Vm, op syntax.Operation, args py.Tuple) error {
	switch op {
	case syntax.EndCall:
		return args[0].(*pendingCall).call(v)
	case syntax.Held:
		v.PUSH(heldBy(machineOf(v).frame).object)
		return nil
	case syntax.Annotations:
		annotations, ok := machineOf(v).frame.Locals["__annotations__"]
		if !ok {
			annotations = pyvalue.NewDict()
		}
		v.PUSH(annotations)
		return nil
	}
	res, err := operate(op, args)
	if err == nil {
		v.PUSH(res)
	}
	return err
}

// operate carries out an operation that needs nothing but its arguments.
func operate(op syntax.Operation, args py.Tuple) (py.Object, error) {
	switch op {
	case syntax.Format:
		return formatValue(args)
	case syntax.Join:
		return join(args[0].(py.Tuple))
	case syntax.ExtendList:
		list := args[0].(*py.List)
		more, err := unpackAfterStar(args[1])
		if err == nil {
			err = pyvalue.Fits(len(list.Items)+len(more), 16)
		}
		list.Items = append(list.Items, more...)
		return list, err
	case syntax.TupleOf:
		return py.Tuple(args[0].(*py.List).Items), nil
	case syntax.UpdateSet:
		set := args[0].(*pyvalue.Set)
		return set, eachItem(args[1], set.Add)
	case syntax.DictOf:
		dict := pyvalue.NewDict()
		for i := 0; i < len(args); i += 2 {
			if err := dict.Set(args[i], args[i+1]); err != nil {
				return nil, err
			}
		}
		return dict, nil
	case syntax.UpdateDict:
		dict := args[0].(*pyvalue.Dict)
		return dict, updateDict(dict, args[1])
	case syntax.BeginCall:
		return &pendingCall{f: args[0]}, nil
	}
	c := args[0].(*pendingCall)
	return c, c.add(op, args[1:])
}

// formatValue is the text of a replacement field: a value, its format, and maybe a conversion.
func formatValue(args py.Tuple) (py.Object, error) {
	value, spec := args[0], args[1].(py.String)
	if len(args) > 2 {
		convert := pyvalue.Str
		switch args[2].(py.String) {
		case "r":
			convert = pyvalue.Repr
		case "a":
			convert = pyvalue.ASCII
		}
		s, err := convert(value)
		if err != nil {
			return nil, err
		}
		value = py.String(s)
	}
	s, err := pyvalue.Format(value, string(spec))
	return py.String(s), err
}

func join(parts py.Tuple) (py.Object, error) {
	length := 0
	for _, part := range parts {
		length += len(part.(py.String))
	}
	if err := pyvalue.Fits(length, 1); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.Grow(length)
	for _, part := range parts {
		b.WriteString(string(part.(py.String)))
	}
	return py.String(b.String()), nil
}

// eachItem calls f with the items of an iterable.
func eachItem(o py.Object, f func(item py.Object) error) error {
	it, err := pyvalue.Iter(o)
	if err != nil {
		return err
	}
	for {
		item, err := py.Next(it)
		switch {
		case py.IsException(py.StopIteration, err):
			return nil
		case err != nil:
			return err
		}
		if err := f(item); err != nil {
			return err
		}
	}
}

// unpackAfterStar are the items of what "*" unpacks, where several things are.
func unpackAfterStar(o py.Object) (all py.Tuple, err error) {
	if !pyvalue.Iterable(o) {
		return nil, py.ExceptionNewf(py.TypeError, "Value after * must be an iterable, not %s", pyvalue.TypeName(o))
	}
	return pyvalue.Items(o)
}

// updateDict is {**mapping}.
func updateDict(dict *pyvalue.Dict, mapping py.Object) error {
	if !isMapping(mapping) {
		return py.ExceptionNewf(py.TypeError, "'%s' object is not a mapping", pyvalue.TypeName(mapping))
	}
	return dict.Update(mapping)
}

// isMapping reports whether "**" can unpack an object.
func isMapping(o py.Object) bool {
	switch o.(type) {
	case *pyvalue.Dict, py.StringDict:
		return true
	}
	_, err := pyvalue.GetAttr(o, "keys")
	return err == nil
}

// pendingCall is a call whose arguments are being evaluated.
type pendingCall struct {
	f      py.Object
	args   py.Tuple
	star   py.Object // all positional arguments, nil if args has them
	kwargs *pyvalue.Dict
}

var pendingCallType = newType(py.ObjectType, "call", "")

func (c *pendingCall) Type() *py.Type { return pendingCallType }

// add adds what an operation says to the arguments.
func (c *pendingCall) add(op syntax.Operation, args py.Tuple) error {
	switch op {
	case syntax.AddPositional:
		c.args = append(c.args, args[0].(py.Tuple)...)
		return nil
	case syntax.AddStar:
		more, err := unpackAfterStar(args[0])
		c.args = append(c.args, more...)
		return err
	case syntax.OnlyStar:
		c.star = args[0]
		return nil
	}
	if c.kwargs == nil {
		c.kwargs = pyvalue.NewDict()
	}
	if op == syntax.AddKeyword {
		return c.keyword(args[0], args[1])
	}
	if !isMapping(args[0]) {
		return py.ExceptionNewf(py.TypeError, "%s argument after ** must be a mapping, not %s", functionText(c.f), pyvalue.TypeName(args[0]))
	}
	more := pyvalue.NewDict()
	if err := more.Update(args[0]); err != nil {
		return err
	}
	return more.Each(c.keyword)
}

// keyword adds a keyword argument.
func (c *pendingCall) keyword(key, value py.Object) error {
	_, twice, err := c.kwargs.Get(key)
	if err != nil {
		return err
	}
	if twice {
		name, err := pyvalue.Str(key)
		if err != nil {
			return err
		}
		return py.ExceptionNewf(py.TypeError, "%s got multiple values for keyword argument '%s'", functionText(c.f), name)
	}
	return c.kwargs.Set(key, value)
}

// call calls the function, and leaves the result on the stack.
func (c *pendingCall) call(v *vm.Vm) error {
	if c.star != nil {
		if !pyvalue.Iterable(c.star) {
			return py.ExceptionNewf(py.TypeError, "%s argument after * must be an iterable, not %s", functionText(c.f), pyvalue.TypeName(c.star))
		}
		var err error
		if c.args, err = unpackAfterStar(c.star); err != nil {
			return err
		}
	}
	var kw keywords
	if c.kwargs != nil {
		kw.named = make(py.StringDict, c.kwargs.Len())
		if err := c.kwargs.Each(func(key, value py.Object) error {
			name, ok := key.(py.String)
			if !ok {
				return py.ExceptionNewf(py.TypeError, "keywords must be strings")
			}
			kw.named[string(name)] = value
			kw.order = append(kw.order, string(name))
			return nil
		}); err != nil {
			return err
		}
	}
	res, err := machineOf(v).dispatch(c.f, c.args, kw)
	if err == nil {
		v.PUSH(res)
	}
	return err
}
