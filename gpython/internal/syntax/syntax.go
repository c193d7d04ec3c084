// Package syntax reads Python source as CPython 3.12 does, and makes of it the tree that gpython
// v0.2.0 compiles, which is that of Python 3.4.
//
// It works in three steps. The lexer makes tokens. The parser makes a tree of today's Python: with
// gpython's nodes, and with a few of its own for what came after Python 3.4 (node.go). [Lower] puts
// something that means exactly the same in their place: where the older tree has no way to say it,
// the call of an [Operation], which is a constant, so that no name of the program can hide it.
//
// What cannot be said exactly is refused with an [Error] that names the feature. Lines and columns
// are those of CPython's ast module: lines from 1, columns in bytes from 0.
//
// The source comes from a stranger: reading it takes time and memory in proportion to its length,
// and how deep it may be nested is limited ([MostNested]).
package syntax

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// MostNested is how deep a tree can be. Whoever walks a tree may recurse.
const MostNested = 20000

// Parse makes the tree of a source that the mode tells the kind of: an *ast.Module for py.ExecMode,
// an *ast.Interactive for py.SingleMode, an *ast.Expression for py.EvalMode. Its lines end with
// "\n". The error is an *Error.
//
// The tree is that of today's Python, which gpython cannot compile: see [Lower].
func Parse(source string, mode py.CompileMode) (tree ast.Mod, err error) {
	defer recoverFailure(&err)
	return parse(source, mode), nil
}

// Tree is a program that gpython can compile.
type Tree struct {
	ast.Mod
	// Named are the names that ":=" sets in comprehensions, which belong to the code around these.
	Named []Named
}

// Lower makes of the tree of a source, which it changes, one that gpython can compile. The error is
// an *Error.
func Lower(source string, tree ast.Mod) (lowered *Tree, err error) {
	defer recoverFailure(&err)
	l := lowerer{source: source}
	l.holds = strings.Contains(source, "yield") && (strings.Contains(source, "try") || strings.Contains(source, "with"))
	l.lower(tree)
	return &Tree{tree, l.named}, nil
}

// recoverFailure makes a failure the error of the function that defers it.
func recoverFailure(err *error) {
	p := recover()
	if p == nil {
		return
	}
	f, ok := p.(failure)
	if !ok {
		panic(p)
	}
	*err = f.err
}

// usedTokens are the memory for the tokens of sources, which are several times as large as these.
var usedTokens = sync.Pool{New: func() any { return new([]token) }}

// parse makes a tree of today's Python.
func parse(source string, mode py.CompileMode) ast.Mod {
	tokens := usedTokens.Get().(*[]token)
	l := lexer{source: source, line: 1, tokens: slices.Grow((*tokens)[:0], len(source)/3+8)}
	defer func() {
		*tokens = l.tokens
		usedTokens.Put(tokens)
	}()
	l.lex()
	p := parser{source: source, tokens: l.tokens, bad: l.bad, unclosed: l.unclosed, comments: l.comments}
	start := ast.ModBase{Pos: ast.Pos{Lineno: 1}}
	switch mode {
	case py.EvalMode:
		body := p.expressions()
		for p.accept(kNewline) {
		}
		p.expect(kEnd)
		return &ast.Expression{ModBase: start, Body: body}
	case py.SingleMode:
		return &ast.Interactive{ModBase: start, Body: p.interactive()}
	}
	return &ast.Module{ModBase: start, Body: p.module()}
}

// parser makes a tree of tokens.
type parser struct {
	source   string
	tokens   []token
	at       int // of the next token
	bad      *Error
	unclosed bool
	comments []span
	nested   int // how deep the tree is here
	trying   int // attempts that are under way: their errors need no text
	farthest int // the last token that an attempt has come to
	scope    scope
	nodes    nodes
}

// scope is what a parser knows of the code around a statement.
type scope struct {
	function, class, loop bool
	finally               bool // in a finally clause, more than in a loop
}

func (p *parser) peek() token         { return p.tokens[p.at] }
func (p *parser) kind() kind          { return p.tokens[p.at].kind }
func (p *parser) text(t token) string { return p.source[t.start:t.end] }

// ahead is the kind of a later token.
func (p *parser) ahead(n int) kind {
	if p.at+n < len(p.tokens) {
		return p.tokens[p.at+n].kind
	}
	return kEnd
}

// next returns the next token, and goes behind it.
func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind == kBad {
		p.fail()
	}
	if t.kind != kEnd {
		p.at++
	}
	return t
}

// accept goes behind the next token if it is of a kind.
func (p *parser) accept(k kind) bool {
	if p.tokens[p.at].kind != k {
		return false
	}
	p.at++
	return true
}

// expect goes behind the next token, which must be of a kind.
func (p *parser) expect(k kind) token {
	t := p.tokens[p.at]
	if t.kind != k {
		p.fail()
	}
	if k != kEnd {
		p.at++
	}
	return t
}

// expectColon is expect(kColon), with what CPython says where it is missing.
func (p *parser) expectColon() {
	if t := p.peek(); t.kind == kNewline {
		p.failAt(t, "expected ':'")
	}
	p.expect(kColon)
}

// name reads a name.
func (p *parser) name() (ast.Identifier, token) {
	t := p.expect(kName)
	return ast.Identifier(p.identifier(t)), t
}

func pos(t token) ast.Pos { return ast.Pos{Lineno: int(t.line), ColOffset: int(t.column)} }

func exprBase(t token) ast.ExprBase { return ast.ExprBase{Pos: pos(t)} }

func stmtBase(t token) ast.StmtBase { return ast.StmtBase{Pos: pos(t)} }

// deeper counts one more level of the tree, which the caller takes back.
func (p *parser) deeper() {
	if p.nested++; p.nested > MostNested {
		p.failAt(p.peek(), "the program is nested too deeply for this worker")
	}
}

// attempt reports whether f can read what is next. If not, nothing is read.
func (p *parser) attempt(f func()) (ok bool) {
	at, nested := p.at, p.nested
	p.trying++
	defer func() {
		p.trying--
		p.farthest = max(p.farthest, p.at)
		e := recover()
		if e == nil {
			return
		}
		if f, isFailure := e.(failure); !isFailure || f.err != nil && f.err.Feature != "" {
			panic(e)
		}
		p.at, p.nested, ok = at, nested, false
	}()
	f()
	return true
}
