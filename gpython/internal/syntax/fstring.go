package syntax

import (
	"slices"
	"strings"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// addText adds text behind what is there.
func (j *JoinedStr) addText(base ast.ExprBase, text string) {
	if text == "" {
		return
	}
	if n := len(j.Values); n > 0 {
		if last, ok := j.Values[n-1].(*ast.Str); ok {
			last.S += py.String(text)
			return
		}
	}
	j.Values = append(j.Values, &ast.Str{ExprBase: base, S: py.String(text)})
}

// fstring reads an f-string behind its first quotes, and adds it to joined.
func (p *parser) fstring(start token, joined *JoinedStr) {
	raw := strings.ContainsAny(p.text(start), "rR")
	p.deeper()
	defer p.shallower()
	for {
		switch t := p.peek(); t.kind {
		case kFMiddle:
			p.next()
			joined.addText(exprBase(t), p.decode(t, p.text(t), raw, false, true))
		case kOpenBrace:
			p.replacement(joined, raw)
		default:
			p.expect(kFEnd)
			return
		}
	}
}

// replacement reads a replacement field, and adds it to joined.
func (p *parser) replacement(joined *JoinedStr, raw bool) {
	open := p.expect(kOpenBrace)
	v := &FormattedValue{ExprBase: exprBase(open)}
	first := p.peek()
	switch first.kind {
	case kCloseBrace, kBang, kColon, kAssign:
		p.failAt(first, "f-string: valid expression required before '%s'", p.text(first))
	case kLambda:
		p.failAt(first, "f-string: lambda expressions are not allowed without parentheses")
	case kYield:
		v.Value = p.yield()
	default:
		v.Value = p.starExpressions()
	}
	debug := p.accept(kAssign)
	if debug {
		joined.addText(exprBase(open), p.withoutComments(int(open.end), int(p.peek().start)))
	}
	if p.kind() == kBang {
		v.Conversion = p.conversion(p.next())
	}
	if p.accept(kColon) {
		v.Format = p.format(raw)
	}
	if debug && v.Conversion == 0 && v.Format == nil {
		v.Conversion = 'r'
	}
	if t := p.peek(); t.kind != kCloseBrace {
		if t.kind == kBad {
			p.fail()
		}
		switch {
		case v.Format != nil:
			p.failAt(t, "f-string: expecting '}', or format specs")
		case v.Conversion != 0:
			p.failAt(t, "f-string: expecting ':' or '}'")
		case p.isForgottenComma(v.Value):
			p.failAt(first, "invalid syntax. Perhaps you forgot a comma?")
		}
		p.failAt(t, "f-string: expecting '=', or '!', or ':', or '}'")
	}
	p.next()
	joined.Values = append(joined.Values, v)
}

// withoutComments is a part of the source that has comments only in f-strings.
func (p *parser) withoutComments(start, end int) string {
	var b strings.Builder
	i, _ := slices.BinarySearchFunc(p.comments, start, func(c span, at int) int { return c.start - at })
	for ; i < len(p.comments) && p.comments[i].start < end; i++ {
		b.WriteString(p.source[start:p.comments[i].start])
		start = p.comments[i].end
	}
	b.WriteString(p.source[start:end])
	return b.String()
}

// conversion reads what stands behind "!".
func (p *parser) conversion(bang token) byte {
	t := p.peek()
	if t.kind != kName {
		p.failAt(t, "f-string: missing conversion character")
	}
	if t.start != bang.end {
		p.failAt(t, "f-string: conversion type must come right after the exclamation mark")
	}
	p.next()
	switch text := p.text(t); text {
	case "s", "r", "a":
		return text[0]
	default:
		p.failAt(t, "f-string: invalid conversion character '%s': expected 's', 'r', or 'a'", text)
	}
	return 0
}

// format reads the format of a replacement field, up to the field's end.
func (p *parser) format(raw bool) *JoinedStr {
	f := &JoinedStr{ExprBase: exprBase(p.tokens[p.at-1])}
	for {
		switch t := p.peek(); t.kind {
		case kFMiddle:
			p.next()
			f.addText(exprBase(t), p.decode(t, p.text(t), raw, false, false))
		case kOpenBrace:
			p.replacement(f, raw)
		default:
			return f
		}
	}
}
