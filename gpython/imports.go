package gpython

// import: the registered Go functions, and the modules written for this package. gpython v0.2.0
// looks for modules in files. Here nothing is imported from files, whatever lies in the working
// folder: what a program finds does not depend on where its worker was started.

import (
	"context"
	"embed"
	"slices"
	"strings"
	"sync"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// nativeModules are what can be imported besides the registered Go functions. Nothing is ever
// imported from files.
var nativeModules map[string]func(*interp) (*py.Module, error)

func init() {
	nativeModules = map[string]func(*interp) (*py.Module, error){
		"sys": (*interp).sysModule, "os": (*interp).osModule, "os.path": (*interp).osPathModule, "time": (*interp).timeModule,
		"__future__": (*interp).futureModule, "math": (*interp).mathModule, "_thread": (*interp).threadModule, "tempfile": (*interp).tempfileModule, "traceback": (*interp).tracebackModule,
		"collections": (*interp).collectionsModule, "hashlib": (*interp).hashlibModule, "base64": (*interp).base64Module, "binascii": (*interp).binasciiModule,
		"errno": (*interp).errnoModule, "socket": (*interp).socketModule, "pwd": (*interp).pwdModule, "grp": (*interp).grpModule,
		"_subprocess": (*interp).subprocessHelper, "_json": (*interp).jsonHelper, "_random": (*interp).randomHelper,
		"_shutil": (*interp).shutilHelper,
		"json.decoder": func(in *interp) (*py.Module, error) {
			return in.jsonPart("json.decoder", "JSONDecoder", "JSONDecodeError")
		},
		"json.encoder": func(in *interp) (*py.Module, error) { return in.jsonPart("json.encoder", "JSONEncoder") },
	}
	for _, name := range librarySources {
		nativeModules[name] = func(in *interp) (*py.Module, error) { return in.libraryModule(name) }
	}
	for _, name := range []string{"glob", "string"} {
		nativeModules[name] = func(in *interp) (*py.Module, error) { return in.ModuleInit(libraryImpl(name)) }
	}
}

// importName is __import__: it gives the first module of a dotted name, or the last one for "from
// a.b import c".
func (in *interp) importName(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("__import__", args, kwargs, 1, "name", "globals", "locals", "fromlist", "level")
	if err != nil {
		return nil, err
	}
	name, ok := pyvalue.Plain(a[0]).(py.String)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "__import__() argument 1 must be str, not %s", a[0].Type().Name)
	}
	if level, ok := a[4].(py.Int); ok && level != 0 {
		return nil, py.ExceptionNewf(py.ImportError, "attempted relative import with no known parent package")
	}
	if name == "" {
		return nil, py.ExceptionNewf(py.ValueError, "Empty module name")
	}
	first, last, err := in.importDotted(string(name))
	if err != nil {
		return nil, err
	}
	names, _ := a[3].(py.Tuple)
	for _, n := range names {
		n, _ := n.(py.String)
		full := string(name) + "." + string(n)
		if _, has := last.Globals[string(n)]; !has && in.known(full) {
			if _, _, err := in.importDotted(full); err != nil {
				return nil, err
			}
		}
	}
	if len(names) > 0 {
		return last, nil
	}
	return first, nil
}

// importDotted imports a module and those around it, each as an attribute of the one before.
func (in *interp) importDotted(name string) (first, last *py.Module, err error) {
	for at := 0; ; {
		dot := strings.IndexByte(name[at:], '.')
		part := name
		if dot >= 0 {
			part = name[:at+dot]
		}
		module, err := in.importOne(part)
		if err != nil {
			return nil, nil, err
		}
		if last == nil {
			first = module
		} else {
			last.Globals[part[strings.LastIndexByte(part, '.')+1:]] = module
		}
		last = module
		if dot < 0 {
			return first, last, nil
		}
		at += dot + 1
	}
}

// importOne returns a module, which it makes at the first import.
func (in *interp) importOne(name string) (*py.Module, error) {
	if module, err := in.store.GetModule(name); err == nil {
		return module, nil
	}
	module, err := in.makeModule(name)
	if err != nil {
		return nil, err
	}
	return module, in.loaded.Set(py.String(name), module)
}

// makeModule makes a module. Registered functions come before modules of the same name.
func (in *interp) makeModule(name string) (*py.Module, error) {
	if functions, ok := in.modules[name]; ok {
		return in.goModule(name, functions)
	}
	if make, ok := nativeModules[name]; ok {
		return make(in)
	}
	if in.isPackage(name) {
		return in.goModule(name, nil)
	}
	return nil, py.ExceptionNewf(moduleNotFoundError, "No module named '%s'\nThis is a Go worker. Its modules are: %s", name,
		strings.Join(in.moduleNames(), ", "))
}

// isPackage reports whether a registered module's name begins with this one.
func (in *interp) isPackage(name string) bool {
	for module := range in.modules {
		if strings.HasPrefix(module, name+".") {
			return true
		}
	}
	return false
}

// known reports whether a module of this name can be imported.
func (in *interp) known(name string) bool {
	_, registered := in.modules[name]
	_, native := nativeModules[name]
	return registered || native || in.isPackage(name)
}

// moduleNames are the names of all modules, for the message about one that is not there.
func (in *interp) moduleNames() []string {
	var names []string
	for name := range in.modules {
		names = append(names, name)
	}
	for name := range nativeModules {
		if _, replaced := in.modules[name]; !replaced && !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// goModule makes a module of registered functions.
func (in *interp) goModule(name string, functions map[string]engine.Func) (*py.Module, error) {
	globals := py.NewStringDictSized(len(functions))
	for fname, f := range functions {
		call := func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			return in.callGo(name+"."+fname, f, args, kwargs)
		}
		globals[fname] = goFunction{&function{fname, call}, name}
	}
	return in.store.NewModule(in, &py.ModuleImpl{Info: py.ModuleInfo{Name: name}, Globals: globals})
}

// libraryImpl is a module of gpython's, to be changed.
func libraryImpl(name string) *py.ModuleImpl {
	impl := *py.GetModuleImpl(name)
	impl.Info.Flags |= pyvalue.OfLibrary
	return &impl
}

// newModule makes a module that stands for one of CPython's library.
func (in *interp) newModule(name string, globals py.StringDict) (*py.Module, error) {
	return in.store.NewModule(in, &py.ModuleImpl{Info: py.ModuleInfo{Name: name, Flags: pyvalue.OfLibrary}, Globals: globals})
}

// librarySources are the modules of our own that are written in Python.
var librarySources = []string{"getpass", "json", "queue", "random", "shlex", "shutil", "subprocess", "threading", "uuid"}

//go:embed library/*.py
var library embed.FS

// compiled has their code by name, once it has been needed: executions share it, as nothing
// changes it.
var compiled sync.Map

// libraryModule makes a module of our own that is written in Python.
func (in *interp) libraryModule(name string) (*py.Module, error) {
	file := name + ".py"
	source, err := library.ReadFile("library/" + file)
	if err != nil {
		return nil, err
	}
	in.sources[file] = string(source)
	made, ok := compiled.Load(name)
	if !ok {
		if made, err = py.Compile(string(source), file, py.ExecMode, 0, true); err != nil {
			return nil, err
		}
		compiled.Store(name, made)
	}
	code := made.(*py.Code)
	module, err := in.newModule(name, py.StringDict{"__builtins__": in.store.Builtins})
	if err != nil {
		return nil, err
	}
	_, err = in.RunCode(code, module.Globals, module.Globals, nil)
	return module, err
}

// callGo calls a registered function. It runs without the interpreter's lock, so that callbacks go
// on meanwhile.
func (in *interp) callGo(name string, f engine.Func, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	values := make([]any, len(args))
	for i, o := range args {
		var err error
		if values[i], err = in.toGo(o); err != nil {
			return nil, err
		}
		if b, ok := values[i].([]byte); ok {
			values[i] = slices.Clone(b) // the function may write to it
		}
	}
	named := serializer.NewDict()
	names := make([]string, 0, len(kwargs))
	for name := range kwargs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v, err := in.toGo(kwargs[name])
		if err != nil {
			return nil, err
		}
		if err := named.Set(name, v); err != nil {
			return nil, in.pythonError(err)
		}
	}
	ctx := in.ctx
	var result any
	var err error
	in.blocking(func() { result, err = callSafely(ctx, name, f, in, values, named) })
	if err != nil {
		return nil, in.pythonError(err)
	}
	return in.fromGo(result)
}

// callSafely calls a registered function; a panic in it becomes an *engine.Panic.
func callSafely(ctx context.Context, name string, f engine.Func, in *interp, args []any, kwargs *serializer.Dict) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = engine.NewPanic(name, p)
		}
	}()
	return f(ctx, in.channel, args, kwargs)
}

// futureModule has the features that CPython 3 has always.
func (in *interp) futureModule() (*py.Module, error) {
	globals := py.StringDict{}
	for _, feature := range []string{"nested_scopes", "generators", "division", "absolute_import", "with_statement",
		"print_function", "unicode_literals", "generator_stop", "annotations"} {
		globals[feature] = py.True
	}
	return in.newModule("__future__", globals)
}
