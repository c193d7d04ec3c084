package pyliteral

import "github.com/go-execnet/execnet/serializer"

// open reads an opening bracket and the spaces, newlines and comments after it.
func (p *parser) open() *SyntaxError {
	if p.depth == MaxDepth {
		return p.fail("more than %d brackets are open", MaxDepth)
	}
	p.depth++
	p.pos++
	p.skip()
	return nil
}

// close reads the bracket that closes the one at start, and nothing after it.
func (p *parser) close(start int, closing byte) *SyntaxError {
	p.skip()
	switch {
	case p.pos == len(p.text):
		return p.failAt(start, "%q is never closed", p.text[start])
	case p.peek() != closing:
		return p.unexpected(`expected "," or "` + string(closing) + `"`)
	}
	p.pos++
	p.depth--
	return nil
}

// each reads a bracket at pos, items, and the closing bracket. item reads one of them; the spaces
// before it are skipped.
func (p *parser) each(closing byte, item func() *SyntaxError) *SyntaxError {
	start := p.pos
	if err := p.open(); err != nil {
		return err
	}
	for p.pos < len(p.text) && p.peek() != closing {
		if err := item(); err != nil {
			return err
		}
		p.skip()
		if p.peek() != ',' {
			break
		}
		p.pos++
		p.skip()
	}
	return p.close(start, closing)
}

func (p *parser) parentheses() (any, form, *SyntaxError) {
	start := p.pos
	if err := p.open(); err != nil {
		return nil, 0, err
	}
	v, f := any(serializer.Tuple{}), other
	if p.pos < len(p.text) && p.peek() != ')' {
		var err *SyntaxError
		if v, f, err = p.items(')'); err != nil {
			return nil, 0, err
		}
	}
	return v, f, p.close(start, ')')
}

func (p *parser) list() (any, *SyntaxError) {
	list := []any{}
	err := p.each(']', func() *SyntaxError {
		v, _, err := p.sum()
		list = append(list, v)
		return err
	})
	return list, err
}

// braces reads a dict or a set, as the first item decides.
func (p *parser) braces() (any, *SyntaxError) {
	dict, set := serializer.NewDict(), serializer.NewSet()
	err := p.each('}', func() *SyntaxError {
		at := p.pos
		key, _, err := p.sum()
		if err != nil {
			return err
		}
		p.skip()
		hasValue := p.peek() == ':'
		switch {
		case hasValue && set.Len() > 0:
			return p.fail(`a set has no ":"; only its first item can make it a dict`)
		case !hasValue && dict.Len() > 0:
			return p.unexpected(`expected ":" and a value`)
		case !hasValue:
			if err := set.Add(key); err != nil {
				return p.failAt(at, "%s", err)
			}
			return nil
		}
		p.pos++
		p.skip()
		value, _, err := p.sum()
		if err != nil {
			return err
		}
		if err := dict.Set(key, value); err != nil {
			return p.failAt(at, "%s", err)
		}
		return nil
	})
	if set.Len() > 0 {
		return set, err
	}
	return dict, err
}

// call reads the parentheses after set or frozenset, which are empty or, for a frozenset, can
// contain a set.
func (p *parser) call(name string) (any, *SyntaxError) {
	p.skip()
	if p.peek() != '(' {
		return nil, p.unexpected(`expected "(" behind ` + name)
	}
	start := p.pos
	if err := p.open(); err != nil {
		return nil, err
	}
	set := serializer.NewSet()
	if name == "frozenset" && p.pos < len(p.text) && p.peek() != ')' {
		at := p.pos
		v, _, err := p.sum()
		if err != nil {
			return nil, err
		}
		var ok bool
		if set, ok = v.(*serializer.Set); !ok {
			return nil, p.failAt(at, "frozenset is made of a set, as in frozenset({1, 2})")
		}
	}
	p.skip()
	if p.pos < len(p.text) && p.peek() != ')' {
		return nil, p.unexpected(`expected ")" to end ` + name + "(")
	}
	if err := p.close(start, ')'); err != nil {
		return nil, err
	}
	if name == "set" {
		return set, nil
	}
	items := make([]any, 0, set.Len())
	for item := range set.All() {
		items = append(items, item)
	}
	return serializer.NewFrozenSet(items...), nil
}
