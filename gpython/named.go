package gpython

// Assignment expressions, (name := value). The tree that gpython compiles has an expression there
// that stores to the name, so that the name belongs to the scope that it should. What the compiler
// makes of it is put right in its code.

import (
	"slices"
	"strings"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/symtable"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

// keepNamed puts "duplicate, store" in the place of what the compiler made of a named value:
// duplicate, attribute, duplicate, attribute, store, operate. What is left over is jumped over.
func keepNamed(code *py.Code) {
	for _, o := range code.Consts {
		if inner, ok := o.(*py.Code); ok {
			keepNamed(inner)
		}
	}
	mark := slices.Index(code.Names, syntax.NamedAttribute)
	if mark < 0 {
		return
	}
	pair := string([]byte{byte(vm.DUP_TOP), byte(vm.LOAD_ATTR), byte(mark), byte(mark >> 8)})
	ops := []byte(code.Code)
	for at := 0; at < len(ops); at++ {
		op := vm.OpCode(ops[at])
		if op == vm.DUP_TOP && strings.HasPrefix(string(ops[at:min(at+8, len(ops))]), pair+pair) {
			end := at + 8
			if vm.OpCode(ops[end]) == vm.EXTENDED_ARG {
				end += 3
			}
			end += 3 // behind what stores
			rest := ops[at+1+copy(ops[at+1:], ops[at+8:end]) : end+1]
			rest[0], rest[1], rest[2] = byte(vm.JUMP_FORWARD), byte(len(rest)-3), 0
			for i := range rest[3:] {
				rest[3+i] = byte(vm.NOP)
			}
			at = end
			continue
		}
		if op.HAS_ARG() {
			at += 2
		}
	}
	code.Code = string(ops)
}

// nameOutside gives names that are set in comprehensions to the code around these.
func nameOutside(names *symtable.SymTable, all []syntax.Named) {
	if len(all) == 0 {
		return
	}
	around := make(map[ast.Ast]*symtable.SymTable)
	var visit func(names *symtable.SymTable)
	visit = func(names *symtable.SymTable) {
		for node, child := range names.LookupChild {
			around[node] = names
			visit(child)
		}
	}
	visit(names)
	for _, named := range all {
		name := string(named.Name.Id)
		outside := around[named.Loops[0]]
		symbol := outside.Symbols[name]
		declare := symtable.DefNonlocal
		switch {
		case symbol.Flags&symtable.DefNonlocal != 0:
		case outside.Type == symtable.ModuleBlock, symbol.Flags&symtable.DefGlobal != 0:
			declare = symtable.DefGlobal
			symbol.Flags |= symtable.DefGlobal
		default:
			symbol.Flags |= symtable.DefLocal
		}
		outside.Symbols[name] = symbol
		innermost := named.Loops[len(named.Loops)-1]
		inside := around[innermost].LookupChild[innermost]
		symbol = inside.Symbols[name]
		symbol.Flags = symbol.Flags&^symtable.DefLocal | declare
		inside.Symbols[name] = symbol
	}
	names.Analyze()
}
