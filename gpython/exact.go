package gpython

// Which programs this engine does exactly as CPython. A Go worker leaves only those to it, unless
// it is told otherwise or there is no CPython (docs/workers.md). The answer comes from reading the
// source: every statement, name and attribute in it must be one that is known to be the same in
// both, and those are listed in exact_lists.go. Whatever is not known counts as different.
//
// The types of values are not known here. So a name that some built-in type of CPython has as an
// attribute, and that is not listed, is a difference also where the program has defined it.

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/syntax"
	"github.com/go-execnet/execnet/worker/engine"
)

var _ engine.Judge = gpythonEngine{}

// Differs implements engine.Judge.
func (gpythonEngine) Differs(p gatewaybase.Program, modules engine.Modules) string {
	source, err := readSource(p.Source)
	if err != nil {
		return "a null byte"
	}
	tree, err := syntax.Parse(source+"\n", py.ExecMode)
	var failed *syntax.Error
	switch {
	case errors.As(err, &failed) && failed.Feature != "":
		return fmt.Sprintf("%s in line %d", failed.Feature, failed.Line)
	case errors.As(err, &failed):
		return fmt.Sprintf("the %s in line %d", failed.Class, failed.Line)
	case err != nil:
		return "its syntax"
	}
	r := reading{modules: modules, bound: map[string]int{}, noted: map[string]int{}, imported: map[string]string{}, attributes: map[string]bool{}, selves: map[string]bool{}}
	body := tree.(*ast.Module).Body
	if p.Call != "" && !slices.ContainsFunc(body, func(s ast.Stmt) bool {
		def, ok := s.(*ast.FunctionDef)
		return ok && string(def.Name) == p.Call
	}) {
		return "the function " + p.Call + ", which it does not define"
	}
	r.block(body)
	r.checkUses()
	if r.problem == "" {
		return ""
	}
	return fmt.Sprintf("%s in line %d", r.problem, r.line)
}

// reading is what is known of a source while its tree is walked. The names in it are checked
// afterwards, because a function can use what is defined behind it.
type reading struct {
	modules engine.Modules

	problem string // the first in the source
	line    int

	bound      map[string]int    // names with values that no import gives, and their first lines
	imported   map[string]string // names for modules, and which
	catches    bool              // some names are bound to exceptions
	attributes map[string]bool   // of the program's own classes
	selves     map[string]bool   // the names of methods' first parameters
	uses       []use
	noted      map[string]int // names that stand in uses alone, and the first line
	paths      []string       // the attributes of all uses
	scope      *scope
}

// use is a name that is read, with the attributes that follow it directly, or these alone, if they
// are those of another expression: then the name is "".
type use struct {
	name       string
	attributes []string
	line       int
	// keywords are those of a call of it; unpacked says that there are further ones.
	keywords []*ast.Keyword
	called   bool
	stores   bool // the last attribute is set
}

// scope is a function or class around a statement.
type scope struct {
	around   *scope
	class    bool
	isInit   bool // the method __init__
	yields   bool
	cleansUp bool // has try or with
}

// differs notes that something in a line may be different.
func (r *reading) differs(line int, format string, args ...any) {
	if r.problem == "" || line < r.line {
		r.problem, r.line = fmt.Sprintf(format, args...), line
	}
}

func (r *reading) block(list []ast.Stmt) {
	for _, s := range list {
		r.statement(s)
	}
}
