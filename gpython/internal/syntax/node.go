package syntax

import "github.com/go-python/gpython/ast"

// The nodes that a parsed tree has besides gpython's. It also has gpython's in places where Python
// 3.4 has none: a Starred among the items of a display and the arguments of a call, a Dict whose
// key is nil for "**", and a Keyword without a name for "**" in a call. [Lower] leaves
// nothing of that.

// JoinedStr is an f-string: *ast.Str and *FormattedValue by turns.
type JoinedStr struct {
	ast.ExprBase
	Values []ast.Expr
}

// FormattedValue is a replacement field of an f-string.
type FormattedValue struct {
	ast.ExprBase
	Value      ast.Expr
	Conversion byte       // 's', 'r' or 'a', or 0
	Format     *JoinedStr // nil if there is none
}

// NamedExpr is (target := value).
type NamedExpr struct {
	ast.ExprBase
	Target *ast.Name
	Value  ast.Expr
}

// AnnAssign is target: annotation = value; value may be nil.
type AnnAssign struct {
	ast.StmtBase
	Target     ast.Expr
	Annotation ast.Expr
	Value      ast.Expr
	Simple     bool // the target is a name without parentheses
}

var (
	_ ast.Expr = (*JoinedStr)(nil)
	_ ast.Expr = (*FormattedValue)(nil)
	_ ast.Expr = (*NamedExpr)(nil)
	_ ast.Stmt = (*AnnAssign)(nil)
)
