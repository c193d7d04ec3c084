package worker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/worker/engine"
)

// Funcs are Go functions by the names that remote code knows them by.
//
// A function's first parameters may be a context.Context, which ends when the worker must (and,
// called by RemoteCall, when the caller is gone), and a *execnet.Channel, which is the execution's
// channel unless the caller passes another one. The other parameters take the caller's arguments,
// converted as Channel.ReceiveInto converts items. A last parameter that is a struct or a map with
// string keys takes keyword arguments.
//
// A function may return an iter.Seq[T], an iter.Seq2[T, error] or a channel to receive from
// (<-chan T). RemoteIter in a Go driver then gets the items one by one. When it wants no more,
// yield returns false, and the function's context ends. A function that returns a channel must heed
// its context: nothing else tells it that nobody receives any more. All other callers get a list,
// when the iterator has ended.
//
// Other results are sent as Channel.Send sends values; several are a tuple. A last result of type
// error is raised as an exception at the caller: a [*Raised] as the class it names, others as
// RuntimeError. A panic is a RuntimeError too. Functions are called side by side, from many
// goroutines.
type Funcs map[string]any

// Raised is an error that becomes a Python exception of the class it names. Return a pointer:
//
//	return &worker.Raised{Class: "KeyError", Message: "no such word"}
//
// It may be wrapped; what the other errors say is part of the exception's message.
type Raised = engine.Raised

// Register makes functions callable by drivers, as a module that their source imports and that
// RemoteCall names. A module may be registered in several parts, and its name may be dotted.
//
// It panics on names that are no Python identifiers or are keywords, on names that are taken, and
// on what is no function or takes what remote code cannot pass. Workers know what was registered
// before they started.
func Register(module string, funcs Funcs) {
	if err := registered.add(module, funcs); err != nil {
		panic("execnet: worker.Register: " + err.Error())
	}
}

// registered is what Register has collected.
var registered registry

type registry struct {
	mu    sync.Mutex // guards what follows
	funcs map[string]map[string]*gofunc.Func
}

// add registers all of funcs or, with an error, none.
func (r *registry) add(module string, funcs Funcs) error {
	wrapped := map[string]*gofunc.Func{}
	for _, part := range strings.Split(module, ".") {
		if !isName(part) {
			return fmt.Errorf("%q is no name of a Python module", module)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(funcs)) {
		if !isName(name) {
			return fmt.Errorf("%q is no name of a Python function", name)
		}
		f, err := gofunc.New(module+"."+name, funcs[name])
		if err != nil {
			return err
		}
		wrapped[name] = f
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range wrapped {
		if r.funcs[module][name] != nil {
			return fmt.Errorf("%s.%s is registered already", module, name)
		}
	}
	if r.funcs == nil {
		r.funcs = map[string]map[string]*gofunc.Func{}
	}
	if r.funcs[module] == nil {
		r.funcs[module] = map[string]*gofunc.Func{}
	}
	maps.Copy(r.funcs[module], wrapped)
	return nil
}

// isName tells whether Python source can use s as a name.
func isName(s string) bool { return pyliteral.IsIdentifier(s) && !pyliteral.IsKeyword(s) }

// functions are the registered functions as one worker sees them.
type functions struct {
	byName map[string]*gofunc.Func // "module.function"
	engine engine.Modules
	beside engine.Functions // for a process beside the worker
}

// modules returns what has been registered so far.
func (r *registry) modules() functions {
	r.mu.Lock()
	defer r.mu.Unlock()
	fs := functions{map[string]*gofunc.Func{}, engine.Modules{}, engine.Functions{}}
	for module, funcs := range r.funcs {
		fs.engine[module], fs.beside[module] = map[string]engine.Func{}, map[string]engine.Function{}
		for name, f := range funcs {
			fs.byName[module+"."+name] = f
			fs.engine[module][name] = f.Engine()
			fs.beside[module][name] = engine.Function{Call: f.Call, Signature: f.Signature(), Doc: f.Doc(), Channel: f.TakesChannel(), Context: f.TakesContext()}
		}
	}
	return fs
}

// moduleOf returns the module of a function's dotted name, "" if there is none.
func moduleOf(function string) string { return function[:max(strings.LastIndexByte(function, '.'), 0)] }

// find returns the function with the dotted name, or says what Python would say.
func (fs *functions) find(name string) (*gofunc.Func, error) {
	if f := fs.byName[name]; f != nil {
		return f, nil
	}
	module := moduleOf(name)
	if _, ok := fs.engine[module]; ok {
		return nil, &engine.Raised{Class: "AttributeError", Message: fmt.Sprintf("module '%s' has no attribute '%s'", module, name[len(module)+1:])}
	}
	what := fmt.Sprintf("No module named '%s'", module)
	if module == "" {
		what = fmt.Sprintf("%q is no name of a function in a module", name)
	}
	known := "no modules"
	if len(fs.engine) > 0 {
		known = "these modules: " + strings.Join(slices.Sorted(maps.Keys(fs.engine)), ", ")
	}
	return nil, &engine.Raised{Class: "ModuleNotFoundError", Message: fmt.Sprintf(
		"%s; this is a Go worker, with %s for calls, and without a CPython", what, known)}
}
