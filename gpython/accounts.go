package gpython

// pwd and grp, which gpython v0.2.0 lacks: the accounts in /etc/passwd and /etc/group. Accounts
// that come from elsewhere (LDAP and the like) are found only by programs that use the C library.

import (
	"bufio"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

var (
	passwdType = newType(py.TupleType, "pwd.struct_passwd", "An account.")
	groupType  = newType(py.TupleType, "grp.struct_group", "A group of accounts.")

	passwdFields = []string{"pw_name", "pw_passwd", "pw_uid", "pw_gid", "pw_gecos", "pw_dir", "pw_shell"}
	groupFields  = []string{"gr_name", "gr_passwd", "gr_gid", "gr_mem"}
)

// pwdModule makes the module pwd.
func (in *interp) pwdModule() (*py.Module, error) {
	return in.accountsModule("pwd", "/etc/passwd", "struct_passwd", passwdType, "getpwnam", "getpwuid", "getpwall", func(line []string) *namedTuple {
		if len(line) < 7 {
			return nil
		}
		uid, err := strconv.Atoi(line[2])
		gid, err2 := strconv.Atoi(line[3])
		if err != nil || err2 != nil {
			return nil
		}
		return &namedTuple{Tuple: py.Tuple{py.String(line[0]), py.String(line[1]), py.Int(uid), py.Int(gid), py.String(line[4]),
			py.String(line[5]), py.String(line[6])}, class: passwdType, fields: passwdFields, more: fieldCounts(passwdFields)}
	})
}

// grpModule makes the module grp.
func (in *interp) grpModule() (*py.Module, error) {
	return in.accountsModule("grp", "/etc/group", "struct_group", groupType, "getgrnam", "getgrgid", "getgrall", func(line []string) *namedTuple {
		if len(line) < 4 {
			return nil
		}
		gid, err := strconv.Atoi(line[2])
		if err != nil {
			return nil
		}
		members := py.NewList()
		for _, name := range strings.Split(line[3], ",") {
			if name != "" {
				members.Append(py.String(name))
			}
		}
		return &namedTuple{Tuple: py.Tuple{py.String(line[0]), py.String(line[1]), py.Int(gid), members}, class: groupType, fields: groupFields, more: fieldCounts(groupFields)}
	})
}

// accountsModule makes a module over a file of lines with fields between colons: the name is the
// first of them, the number the third.
func (in *interp) accountsModule(name, path, class string, result *py.Type, byName, byNumber, all string,
	parse func(line []string) *namedTuple) (*py.Module, error) {
	if runtime.GOOS == "windows" {
		return nil, py.ExceptionNewf(moduleNotFoundError, "No module named '%s'", name)
	}
	read := func() ([]*namedTuple, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		var found []*namedTuple
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if t := parse(strings.Split(lines.Text(), ":")); t != nil && !strings.HasPrefix(lines.Text(), "#") {
				found = append(found, t)
			}
		}
		return found, lines.Err()
	}
	find := func(is func(t *namedTuple) bool, what string, o py.Object) (py.Object, error) {
		found, err := read()
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if is(t) {
				return t, nil
			}
		}
		shown, err := pyvalue.Repr(o)
		if err != nil {
			return nil, err
		}
		return nil, newException(py.KeyError, py.String(what+": "+shown))
	}
	return in.newModule(name, py.StringDict{
		class: result,
		byName: &function{byName, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			o, err := oneArgument(name, byName, "name", args, kwargs)
			if err != nil {
				return nil, err
			}
			text, ok := pyvalue.Plain(o).(py.String)
			if !ok {
				which, class := "", o.Type().Name
				if name == "grp" {
					which = " 'name'"
				}
				if o == py.None {
					class = "None"
				}
				return nil, py.ExceptionNewf(py.TypeError, "%s() argument%s must be str, not %s", byName, which, class)
			}
			if strings.Contains(string(text), "\x00") {
				return nil, py.ExceptionNewf(py.ValueError, "embedded null byte")
			}
			return find(func(t *namedTuple) bool { return t.Tuple[0] == py.Object(text) }, byName+"(): name not found", text)
		}},
		byNumber: &function{byNumber, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			o, err := oneArgument(name, byNumber, "id", args, kwargs)
			if err != nil {
				return nil, err
			}
			kind := "uid"
			if name == "grp" {
				kind = "gid"
			}
			n, err := pyvalue.Index(o)
			switch {
			case py.IsException(py.TypeError, err):
				return nil, py.ExceptionNewf(py.TypeError, "%s should be integer, not %s", kind, o.Type().Name)
			case err != nil:
				return nil, err
			case !n.IsInt64() || n.Int64() < -1 || n.Int64() > math.MaxUint32:
				if name == "pwd" {
					return nil, newException(py.KeyError, py.String(byNumber+"(): uid not found"))
				}
				return nil, py.ExceptionNewf(py.OverflowError, "gid is not one of this system")
			}
			return find(func(t *namedTuple) bool { return t.Tuple[2] == py.Object(py.Int(n.Int64())) }, byNumber+"(): "+kind+" not found", py.Int(n.Int64()))
		}},
		all: &function{all, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			switch {
			case len(kwargs) > 0:
				return nil, py.ExceptionNewf(py.TypeError, "%s.%s() takes no keyword arguments", name, all)
			case len(args) > 0:
				return nil, py.ExceptionNewf(py.TypeError, "%s.%s() takes no arguments (%d given)", name, all, len(args))
			}
			found, err := read()
			list := py.NewList()
			for _, t := range found {
				list.Append(t)
			}
			return list, err
		}},
	})
}

// oneArgument is the argument of a function of pwd, which takes no keywords, or of grp.
func oneArgument(module, function, parameter string, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	switch {
	case module == "pwd" && len(kwargs) > 0:
		return nil, py.ExceptionNewf(py.TypeError, "pwd.%s() takes no keyword arguments", function)
	case module == "pwd" && len(args) != 1:
		return nil, py.ExceptionNewf(py.TypeError, "pwd.%s() takes exactly one argument (%d given)", function, len(args))
	case len(args)+len(kwargs) > 1:
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes at most 1 argument (%d given)", function, len(args)+len(kwargs))
	case len(args) == 1:
		return args[0], nil
	case kwargs[parameter] != nil:
		return kwargs[parameter], nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "%s() missing required argument '%s' (pos 1)", function, parameter)
}

// fieldCounts are the attributes by which CPython's own named tuples tell how many items they have.
func fieldCounts(fields []string) py.StringDict {
	n := py.Int(len(fields))
	return py.StringDict{"n_fields": n, "n_sequence_fields": n, "n_unnamed_fields": py.Int(0)}
}
