package gpython

// collections, which gpython v0.2.0 lacks: OrderedDict, defaultdict and Counter, which are dicts of
// package pyvalue, and namedtuple; deque stands in deque.go.

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// collectionsModule makes the module.
func (in *interp) collectionsModule() (*py.Module, error) {
	return in.newModule("collections", py.StringDict{
		"OrderedDict": orderedDictType(), "defaultdict": defaultDictType(), "Counter": counterType(), "deque": dequeType(),
		"namedtuple": &function{"namedtuple", makeNamedTuple},
	})
}

// dictClass makes a class derived from dict, which no program can derive from.
func dictClass(name string) *py.Type {
	class := newType(py.StringDictType, name, "")
	class.Dict["__module__"] = py.String("collections")
	return class
}

// addTo gives a class a method.
func addTo(class *py.Type, name string, call func(self *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
	class.Dict[name] = py.MustNewMethod(name, func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d, ok := self.(*pyvalue.Dict)
		if !ok {
			return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s.%s as a function of the class", class.Name, name)
		}
		return call(d, args, kwargs)
	}, 0, "")
}

// fill is what the constructors take: nothing, a mapping or pairs, and keywords.
func fill(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) error {
	if len(args) > 1 {
		return py.ExceptionNewf(py.TypeError, "expected at most 1 arguments, got %d", len(args))
	}
	if len(args) == 1 {
		if err := d.Update(args[0]); err != nil {
			return err
		}
	}
	return d.Update(kwargs)
}

var orderedDictType = sync.OnceValue(func() *py.Type {
	class := dictClass("OrderedDict")
	kind := &pyvalue.DictKind{Class: class, Ordered: true}
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d := pyvalue.NewDictOf(kind)
		return d, fill(d, args, kwargs)
	}
	addTo(class, "move_to_end", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("move_to_end", args, kwargs, 1, "key", "last")
		if err != nil {
			return nil, err
		}
		last, err := truth(a[1], true)
		if err != nil {
			return nil, err
		}
		value, ok, err := d.Remove(a[0])
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, newException(py.KeyError, a[0])
		}
		rest := pyvalue.NewDict()
		if !last {
			if err := rest.Update(d); err != nil {
				return nil, err
			}
			for _, key := range d.Keys() {
				if _, _, err := d.Remove(key); err != nil {
					return nil, err
				}
			}
		}
		if err := d.Set(a[0], value); err != nil {
			return nil, err
		}
		return py.None, d.Update(rest)
	})
	addTo(class, "popitem", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("popitem", args, kwargs, 0, "last")
		if err != nil {
			return nil, err
		}
		last, err := truth(a[0], true)
		if err != nil {
			return nil, err
		}
		keys := d.Keys()
		if len(keys) == 0 {
			return nil, newException(py.KeyError, py.String("dictionary is empty"))
		}
		key := keys[0]
		if last {
			key = keys[len(keys)-1]
		}
		value, _, err := d.Remove(key)
		return py.Tuple{key, value}, err
	})
	class.Dict["fromkeys"] = py.MustNewMethod("fromkeys", func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("fromkeys", args, kwargs, 1, "iterable", "value")
		if err != nil {
			return nil, err
		}
		if a[1] == nil {
			a[1] = py.None
		}
		keys, err := itemsOf(a[0])
		if err != nil {
			return nil, err
		}
		d := pyvalue.NewDictOf(kind)
		for _, key := range keys {
			if err := d.Set(key, a[1]); err != nil {
				return nil, err
			}
		}
		return d, nil
	}, 0, "")
	return class
})

var defaultDictType = sync.OnceValue(func() *py.Type {
	class := dictClass("defaultdict")
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		kind := &pyvalue.DictKind{Class: class, First: py.None}
		if len(args) > 0 {
			kind.First = args[0]
			if kind.First != py.None && !isCallable(kind.First) {
				return nil, py.ExceptionNewf(py.TypeError, "first argument must be callable or None")
			}
			args = args[1:]
		}
		kind.Missing = func(d *pyvalue.Dict, key py.Object) (py.Object, error) {
			if kind.First == py.None {
				return nil, newException(py.KeyError, key)
			}
			value, err := py.Call(kind.First, nil, nil)
			if err != nil {
				return nil, err
			}
			return value, d.Set(key, value)
		}
		d := pyvalue.NewDictOf(kind)
		return d, fill(d, slices.Clone(args), kwargs)
	}
	class.Dict["default_factory"] = &py.Property{
		Fget: func(self py.Object) (py.Object, error) {
			if d, ok := self.(*pyvalue.Dict); ok && d.Kind() != nil {
				return d.Kind().First, nil
			}
			return nil, noAttribute(self, "default_factory")
		},
		Fset: func(self, value py.Object) error {
			if d, ok := self.(*pyvalue.Dict); ok && d.Kind() != nil {
				d.Kind().First = value
				return nil
			}
			return noAttribute(self, "default_factory")
		},
	}
	addTo(class, "copy", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("copy", args, kwargs, 0); err != nil {
			return nil, err
		}
		return py.Call(class, py.Tuple{d.Kind().First, d}, nil)
	})
	class.Dict["fromkeys"] = notInClass("defaultdict.fromkeys")
	return class
})

// notInClass is a function that is not there.
func notInClass(name string) py.Object {
	return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) {
		return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s", name)
	}}
}

// itemsOf is tuple(o).
func itemsOf(o py.Object) (py.Tuple, error) {
	if _, err := pyvalue.Iter(o); err != nil {
		return nil, err
	}
	return pyvalue.Unpack(o, -1)
}

func isCallable(o py.Object) bool {
	yes, err := py.Call(pyvalue.Builtins()["callable"], py.Tuple{o}, nil)
	return err == nil && yes == py.True
}

var counterType = sync.OnceValue(func() *py.Type {
	class := dictClass("Counter")
	kind := &pyvalue.DictKind{Class: class, Counts: true}
	kind.Missing = func(*pyvalue.Dict, py.Object) (py.Object, error) { return py.Int(0), nil }
	kind.Sort = func(d *pyvalue.Dict) ([]py.Object, error) {
		pairs, err := mostCommon(d)
		keys := make([]py.Object, len(pairs))
		for i, pair := range pairs {
			keys[i] = pair.(py.Tuple)[0]
		}
		return keys, err
	}
	change := func(name string, op pyvalue.Operator) func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if len(args) > 1 {
				return nil, py.ExceptionNewf(py.TypeError, "Counter.%s() takes from 1 to 2 positional arguments but %d were given", name, len(args)+1)
			}
			if len(args) == 1 && args[0] != py.None {
				if err := count(d, args[0], op); err != nil {
					return nil, err
				}
			}
			if len(kwargs) > 0 {
				return py.None, count(d, kwargs, op)
			}
			return py.None, nil
		}
	}
	update := change("update", pyvalue.OpAdd)
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d := pyvalue.NewDictOf(kind)
		_, err := update(d, args, kwargs)
		return d, err
	}
	addTo(class, "update", update)
	addTo(class, "subtract", change("subtract", pyvalue.OpSub))
	addTo(class, "most_common", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("most_common", args, kwargs, 0, "n")
		if err != nil {
			return nil, err
		}
		pairs, err := mostCommon(d)
		if err == nil && a[0] != nil && a[0] != py.None {
			var n int
			if n, err = py.IndexInt(a[0]); err == nil {
				pairs = pairs[:min(max(n, 0), len(pairs))]
			}
		}
		return &py.List{Items: pairs}, err
	})
	addTo(class, "elements", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("elements", args, kwargs, 0); err != nil {
			return nil, err
		}
		all := py.NewList()
		for _, key := range d.Keys() {
			value, _, err := d.Get(key)
			if err != nil {
				return nil, err
			}
			n, err := py.IndexInt(value)
			if err != nil {
				return nil, err
			}
			if err := pyvalue.Fits(len(all.Items)+max(n, 0), 16); err != nil {
				return nil, err
			}
			for range n {
				all.Append(key)
			}
		}
		return pyvalue.Iter(all)
	})
	addTo(class, "total", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("total", args, kwargs, 0); err != nil {
			return nil, err
		}
		sum := py.Object(py.Int(0))
		for _, key := range d.Keys() {
			value, _, err := d.Get(key)
			if err == nil {
				sum, err = pyvalue.Binary(pyvalue.OpAdd, sum, value)
			}
			if err != nil {
				return nil, err
			}
		}
		return sum, nil
	})
	class.Dict["fromkeys"] = &function{"fromkeys", func(py.Tuple, py.StringDict) (py.Object, error) {
		return nil, py.ExceptionNewf(py.NotImplementedError, "Counter.fromkeys() is undefined.  Use Counter(iterable) instead.")
	}}
	return class
})

// mostCommon are the entries of a Counter, those with the highest counts first.
func mostCommon(d *pyvalue.Dict) ([]py.Object, error) {
	pairs := py.NewList()
	for _, key := range d.Keys() {
		value, _, err := d.Get(key)
		if err != nil {
			return nil, err
		}
		pairs.Append(py.Tuple{key, value})
	}
	byCount := &function{"count", func(args py.Tuple, _ py.StringDict) (py.Object, error) { return args[0].(py.Tuple)[1], nil }}
	sorted, err := py.Call(pyvalue.Builtins()["sorted"], py.Tuple{pairs}, py.StringDict{"key": byCount, "reverse": py.True})
	if err != nil {
		return nil, err
	}
	return sorted.(*py.List).Items, nil
}

// count adds what o has to a Counter, or subtracts it: counts, if it is a mapping, else its items.
func count(d *pyvalue.Dict, o py.Object, op pyvalue.Operator) error {
	one := func(key, by py.Object) error {
		now, ok, err := d.Get(key)
		if err != nil {
			return err
		}
		if !ok {
			now = py.Int(0)
			if op == pyvalue.OpAdd && d.Len() >= 0 {
				if sum, err := pyvalue.Binary(op, by, now); err != nil {
					return err
				} else {
					return d.Set(key, sum)
				}
			}
		}
		if now, err = pyvalue.Binary(op, now, by); err != nil {
			return err
		}
		return d.Set(key, now)
	}
	_, isDict := o.(*pyvalue.Dict)
	_, isNames := o.(py.StringDict)
	if isDict || isNames {
		counts := pyvalue.NewDict()
		if err := counts.Update(o); err != nil {
			return err
		}
		for _, key := range counts.Keys() {
			by, _, err := counts.Get(key)
			if err == nil {
				err = one(key, by)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	it, err := pyvalue.Iter(o)
	if err != nil {
		return err
	}
	for {
		key, err := py.Next(it)
		if py.IsException(py.StopIteration, err) {
			return nil
		}
		if err == nil {
			err = one(key, py.Int(1))
		}
		if err != nil {
			return err
		}
	}
}

// keywords of Python, which are no names of fields.
var reservedWords = strings.Fields("False None True and as assert async await break class continue def del elif else except finally " +
	"for from global if import in is lambda nonlocal not or pass raise return try while with yield")

// makeNamedTuple is collections.namedtuple.
func makeNamedTuple(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 2 {
		return nil, py.ExceptionNewf(py.TypeError, "namedtuple() takes 2 positional arguments but %d were given", len(args))
	}
	a, err := arguments("namedtuple", args, kwargs, 2, "typename", "field_names", "rename", "defaults", "module")
	if err != nil {
		return nil, err
	}
	typeName, err := pyvalue.Str(a[0])
	if err != nil {
		return nil, err
	}
	rename, err := truth(a[2], false)
	if err != nil {
		return nil, err
	}
	var fields []string
	if text, ok := pyvalue.Plain(a[1]).(py.String); ok {
		fields = strings.Fields(strings.ReplaceAll(string(text), ",", " "))
	} else {
		all, err := itemsOf(a[1])
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			field, err := pyvalue.Str(o)
			if err != nil {
				return nil, err
			}
			fields = append(fields, field)
		}
	}
	if err := checkFields(typeName, fields, rename); err != nil {
		return nil, err
	}
	var defaults py.Tuple
	if a[3] != nil && a[3] != py.None {
		if defaults, err = itemsOf(a[3]); err != nil {
			return nil, err
		}
		if len(defaults) > len(fields) {
			return nil, py.ExceptionNewf(py.TypeError, "Got more default values than field names")
		}
	}
	module := a[4]
	if module == nil || module == py.None {
		module = py.String(moduleName)
	}
	return namedTupleClass(typeName, fields, defaults, module)
}

// checkFields refuses names that no field can have; with rename they become _0, _1 and so on.
func checkFields(typeName string, fields []string, rename bool) error {
	isName := func(s string) bool {
		for i, r := range s {
			if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f || i > 0 && r >= '0' && r <= '9') {
				return false
			}
		}
		return s != ""
	}
	seen := make(map[string]bool)
	if rename {
		for i, field := range fields {
			if !isName(field) || slices.Contains(reservedWords, field) || strings.HasPrefix(field, "_") || seen[field] {
				fields[i] = "_" + strconv.Itoa(i)
			}
			seen[fields[i]] = true
		}
	}
	for _, name := range append([]string{typeName}, fields...) {
		shown, err := pyvalue.Repr(py.String(name))
		switch {
		case err != nil:
			return err
		case !isName(name):
			return py.ExceptionNewf(py.ValueError, "Type names and field names must be valid identifiers: %s", shown)
		case slices.Contains(reservedWords, name):
			return py.ExceptionNewf(py.ValueError, "Type names and field names cannot be a keyword: %s", shown)
		}
	}
	clear(seen)
	for _, field := range fields {
		shown, err := pyvalue.Repr(py.String(field))
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(field, "_") && !rename:
			return py.ExceptionNewf(py.ValueError, "Field names cannot start with an underscore: %s", shown)
		case seen[field]:
			return py.ExceptionNewf(py.ValueError, "Encountered duplicate field name: %s", shown)
		}
		seen[field] = true
	}
	return nil
}

// namedTupleClass makes the class that namedtuple gives.
func namedTupleClass(name string, fields []string, defaults py.Tuple, module py.Object) (*py.Type, error) {
	class := newType(py.TupleType, name, "")
	class.Dict["__module__"] = module
	make := func(items py.Tuple) *namedTuple { return &namedTuple{Tuple: items, class: class, fields: fields} }
	names := py.Tuple{}
	for _, field := range fields {
		names = append(names, py.String(field))
	}
	missing := pyvalue.NewDict()
	for i, o := range defaults {
		if err := missing.Set(names[len(fields)-len(defaults)+i], o); err != nil {
			return nil, err
		}
	}
	class.Dict["_fields"], class.Dict["_field_defaults"] = names, missing
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) > len(fields) {
			return nil, py.ExceptionNewf(py.TypeError, "%s.__new__() takes %d positional arguments but %d were given", name, len(fields)+1, len(args)+1)
		}
		items := append(py.Tuple{}, args...)
		items = append(items, slices.Repeat(py.Tuple{nil}, len(fields)-len(args))...)
		for key, value := range kwargs {
			i := slices.Index(fields, key)
			switch {
			case i < 0:
				return nil, py.ExceptionNewf(py.TypeError, "%s.__new__() got an unexpected keyword argument '%s'", name, key)
			case items[i] != nil:
				return nil, py.ExceptionNewf(py.TypeError, "%s.__new__() got multiple values for argument '%s'", name, key)
			}
			items[i] = value
		}
		var absent []string
		for i := range items {
			if from := len(fields) - len(defaults); items[i] == nil && i >= from {
				items[i] = defaults[i-from]
			} else if items[i] == nil {
				absent = append(absent, "'"+fields[i]+"'")
			}
		}
		if len(absent) > 0 {
			return nil, missingArguments(name+".__new__()", "positional", absent)
		}
		return make(items), nil
	}
	add := func(method string, call func(t *namedTuple, args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
		class.Dict[method] = py.MustNewMethod(method, func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			t, ok := self.(*namedTuple)
			if !ok {
				return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s.%s as a function of the class", name, method)
			}
			return call(t, args, kwargs)
		}, 0, "")
	}
	add("_asdict", func(t *namedTuple, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d := pyvalue.NewDict()
		for i := range fields {
			if err := d.Set(names[i], t.Tuple[i]); err != nil {
				return nil, err
			}
		}
		return d, nil
	})
	add("_replace", func(t *namedTuple, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) > 0 {
			return nil, py.ExceptionNewf(py.TypeError, "%s._replace() takes 1 positional argument but %d were given", name, len(args)+1)
		}
		items := slices.Clone(t.Tuple)
		unknown := py.NewList()
		for key, value := range kwargs {
			if i := slices.Index(fields, key); i >= 0 {
				items[i] = value
			} else {
				unknown.Append(py.String(key))
			}
		}
		if len(unknown.Items) > 0 {
			shown, err := pyvalue.Repr(unknown)
			if err != nil {
				return nil, err
			}
			return nil, py.ExceptionNewf(py.ValueError, "Got unexpected field names: %s", shown)
		}
		return make(items), nil
	})
	class.Dict["_make"] = py.MustNewMethod("_make", func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("_make", args, kwargs, 1, "iterable")
		if err != nil {
			return nil, err
		}
		items, err := itemsOf(a[0])
		if err != nil {
			return nil, err
		}
		if len(items) != len(fields) {
			return nil, py.ExceptionNewf(py.TypeError, "Expected %d arguments, got %d", len(fields), len(items))
		}
		return make(items), nil
	}, 0, "")
	for _, method := range []string{"index", "count"} {
		add(method, func(t *namedTuple, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			f, err := pyvalue.GetAttr(t.Tuple, method)
			if err != nil {
				return nil, err
			}
			return py.Call(f, args, kwargs)
		})
	}
	return class, nil
}
