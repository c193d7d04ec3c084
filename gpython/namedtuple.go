package gpython

// collections.namedtuple, which makes classes.

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

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
