package pyvalue

// Attributes of exceptions, and the text of an OSError. gpython v0.2.0 returns the args whatever
// attribute is asked for, and lets no attribute be set. Programs read e.errno and e.__cause__, and
// set attributes of their own.

import (
	"fmt"
	"strings"

	"github.com/go-python/gpython/py"
)

// exceptionAttr reads an attribute of an exception: gpython gives its args under every name.
func exceptionAttr(e *py.Exception, name string) (py.Object, error) {
	value, err := exceptionsOwn(e, name)
	if py.IsException(py.AttributeError, err) {
		if method := instanceMethod(e, "__getattr__"); method != nil {
			return py.Call(method, py.Tuple{e, py.String(name)}, nil)
		}
	}
	if err != nil {
		return objectAttr(e, name, err)
	}
	return value, nil
}

// exceptionsOwn is exceptionAttr without the program's __getattr__.
func exceptionsOwn(e *py.Exception, name string) (py.Object, error) {
	attr := e.Base.Lookup(name)
	if p, ok := attr.(*py.Property); ok {
		return p.M__get__(e, e.Base)
	}
	describe := instanceMethod(attr, "__get__")
	if describe != nil && isDataDescriptor(attr) {
		return py.Call(describe, py.Tuple{attr, e, e.Base}, nil)
	}
	if value, ok := e.Dict[name]; ok {
		return value, nil
	}
	if describe != nil {
		return py.Call(describe, py.Tuple{attr, e, e.Base}, nil)
	}
	if get, ok := attr.(py.I__get__); ok {
		return get.M__get__(e, e.Base)
	}
	if attr != nil {
		return attr, nil
	}
	return nil, missingAttribute(e, name)
}

// setExceptionAttr sets an attribute of an exception, or deletes it if value is nil. gpython has no
// way to.
func setExceptionAttr(e *py.Exception, name string, value py.Object) error {
	attr := e.Base.Lookup(name)
	method, args := "__set__", py.Tuple{attr, e, value}
	if value == nil {
		method, args = "__delete__", args[:2]
	}
	if set := instanceMethod(attr, method); set != nil {
		_, err := py.Call(set, args, nil)
		return err
	}
	return setIn(e.Dict, attr, e, name, value)
}

// setIn sets an attribute in an object's own names, or deletes it there if value is nil, unless its
// class has a property of that name.
func setIn(own py.StringDict, ofClass, o py.Object, name string, value py.Object) (err error) {
	if p, ok := ofClass.(*py.Property); ok {
		if value == nil {
			_, err = p.M__delete__(o)
		} else {
			_, err = p.M__set__(o, value)
		}
		return err
	}
	if value != nil {
		SetName(own, name, value)
		return nil
	}
	if !DeleteName(own, name) {
		return missingAttribute(o, name)
	}
	return nil
}

// exceptionProperty gives a class of exceptions an attribute.
func exceptionProperty(t *py.Type, name string, get func(e *py.Exception) py.Object, set func(e *py.Exception, value py.Object) error) {
	of := func(self py.Object) (*py.Exception, error) {
		if e, ok := self.(*py.Exception); ok {
			return e, nil
		}
		return nil, missingAttribute(self, name)
	}
	t.Dict[name] = &py.Property{
		Fget: func(self py.Object) (py.Object, error) {
			e, err := of(self)
			if err != nil {
				return nil, err
			}
			return optional(get(e), py.None), nil
		},
		Fset: func(self, value py.Object) error {
			e, err := of(self)
			if err != nil {
				return err
			}
			return set(e, value)
		},
	}
}

// argumentProperty is an attribute that an exception has from its arguments until the program sets
// it.
func argumentProperty(t *py.Type, name string, get func(args py.Tuple) py.Object) {
	exceptionProperty(t, name, func(e *py.Exception) py.Object {
		if value, ok := e.Dict[name]; ok {
			return value
		}
		args, _ := e.Args.(py.Tuple)
		return get(args)
	}, func(e *py.Exception, value py.Object) error {
		e.Dict[name] = value
		return nil
	})
}

func init() {
	exceptionProperty(py.BaseException, "args", func(e *py.Exception) py.Object { return e.Args },
		func(e *py.Exception, value py.Object) error {
			if value == nil {
				return py.ExceptionNewf(py.TypeError, "args may not be deleted")
			}
			args, err := items(value)
			if err == nil {
				e.Args = append(py.Tuple{}, args...)
			}
			return err
		})
	orNil := func(o py.Object) py.Object {
		if isNone(o) {
			return nil
		}
		return o
	}
	exceptionProperty(py.BaseException, "__cause__", func(e *py.Exception) py.Object { return e.Cause },
		func(e *py.Exception, value py.Object) error {
			e.Cause, e.SuppressContext = orNil(value), true
			return nil
		})
	exceptionProperty(py.BaseException, "__context__", func(e *py.Exception) py.Object { return e.Context },
		func(e *py.Exception, value py.Object) error {
			e.Context = orNil(value)
			return nil
		})
	exceptionProperty(py.BaseException, "__traceback__", func(e *py.Exception) py.Object { return e.Traceback },
		func(e *py.Exception, value py.Object) error {
			e.Traceback = orNil(value)
			return nil
		})
	exceptionProperty(py.BaseException, "__suppress_context__", func(e *py.Exception) py.Object { return py.NewBool(e.SuppressContext) },
		func(e *py.Exception, value py.Object) error {
			e.SuppressContext = value == py.Object(py.True)
			return nil
		})
	for i, name := range []string{"errno", "strerror", "filename"} {
		argumentProperty(py.OSError, name, func(args py.Tuple) py.Object {
			if len(args) < 2 || len(args) > 5 || i >= len(args) {
				return nil
			}
			return args[i]
		})
	}
	for name, at := range syntaxDetails {
		argumentProperty(py.SyntaxError, name, func(args py.Tuple) py.Object {
			if at < 0 && len(args) > 0 {
				return args[0]
			}
			if len(args) == 2 {
				if details, ok := args[1].(py.Tuple); ok && at >= 0 && at < len(details) {
					return details[at]
				}
			}
			return nil
		})
	}
	argumentProperty(py.StopIteration, "value", func(args py.Tuple) py.Object {
		if len(args) == 0 {
			return nil
		}
		return args[0]
	})
	argumentProperty(py.SystemExit, "code", func(args py.Tuple) py.Object {
		switch len(args) {
		case 0:
			return nil
		case 1:
			return args[0]
		}
		return args
	})
}

// syntaxDetails are the attributes that a SyntaxError has from its arguments: its message, and a
// tuple with the others.
var syntaxDetails = map[string]int{"msg": -1, "filename": 0, "lineno": 1, "offset": 2, "text": 3, "end_lineno": 4, "end_offset": 5}

// syntaxErrorText is str(e) for a SyntaxError: its message, with the file and the line.
func syntaxErrorText(e *py.Exception) (string, error) {
	var parts [3]py.Object
	for i, name := range []string{"msg", "filename", "lineno"} {
		var err error
		if parts[i], err = exceptionAttr(e, name); err != nil {
			return "", err
		}
	}
	text, err := Str(parts[0])
	if err != nil {
		return "", err
	}
	file, hasFile := parts[1].(py.String)
	line, hasLine := parts[2].(py.Int)
	base := file[strings.LastIndexByte(string(file), '/')+1:]
	switch {
	case hasFile && hasLine:
		return fmt.Sprintf("%s (%s, line %d)", text, base, line), nil
	case hasFile:
		return fmt.Sprintf("%s (%s)", text, base), nil
	case hasLine:
		return fmt.Sprintf("%s (line %d)", text, line), nil
	}
	return text, nil
}

// osErrorText is str(e) for an OSError that has a number and a text: with the files that it is
// about.
func osErrorText(e *py.Exception, args py.Tuple) (string, error) {
	number, err := Str(args[0])
	if err != nil {
		return "", err
	}
	text, err := Str(args[1])
	text = "[Errno " + number + "] " + text
	for i, name := range []string{"filename", "filename2"} {
		file := e.Dict[name]
		if file == nil && 2+2*i < len(args) {
			file = args[2+2*i] // of a class of the program
		}
		if file == nil || file == py.None || err != nil {
			break
		}
		var shown string
		shown, err = Repr(file)
		text += []string{": ", " -> "}[i] + shown
	}
	return text, err
}
