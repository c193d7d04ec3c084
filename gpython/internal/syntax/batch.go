package syntax

import "github.com/go-python/gpython/ast"

// nodes are where a parser takes what trees have most of.
type nodes struct {
	names       batch[ast.Name]
	numbers     batch[ast.Num]
	texts       batch[ast.Str]
	calls       batch[ast.Call]
	attributes  batch[ast.Attribute]
	operations  batch[ast.BinOp]
	comparisons batch[ast.Compare]
	parameters  batch[ast.Arg]
	statements  batch[ast.ExprStmt]
	assignments batch[ast.Assign]
	expressions batch[ast.Expr] // of lists of them
	bodies      batch[ast.Stmt] // of lists of them
}

// batch makes values for a tree, many at once, because that is much quicker than one by one. The
// values of a batch are freed together, as a tree is.
type batch[T any] struct {
	free []T
	size int
}

const (
	firstBatch = 8
	mostBatch  = 128
)

// new returns where it has put a value.
func (b *batch[T]) new(v T) *T { return &b.append(nil, v)[0] }

// append is the function append, but takes the place for the first value of a list from the batch.
func (b *batch[T]) append(to []T, v T) []T {
	if to != nil {
		return append(to, v)
	}
	if len(b.free) == 0 {
		b.size = min(max(2*b.size, firstBatch), mostBatch)
		b.free = make([]T, b.size)
	}
	list := b.free[:1:1]
	b.free = b.free[1:]
	list[0] = v
	return list
}
