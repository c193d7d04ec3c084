package jsonform

import (
	"encoding/base64"
	"math"

	"github.com/go-execnet/execnet/serializer"
)

// tagged reads the value of an object's only member, whose name is tag, and returns the value that
// the object stands for.
func (r *reader) tagged(tag string, hashable bool) (any, error) {
	c := r.peek()
	at := r.pos
	switch tag {
	case tagBytes:
		text, err := r.textOf(tag, "base64")
		if err != nil {
			return nil, err
		}
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, r.errorAt(at, "not base64 (%v)", err)
		}
		return b, nil
	case tagFloat:
		text, err := r.textOf(tag, `"nan", "inf" or "-inf"`)
		if err != nil {
			return nil, err
		}
		switch text {
		case "nan":
			return math.NaN(), nil
		case "inf":
			return math.Inf(1), nil
		case "-inf":
			return math.Inf(-1), nil
		}
		return nil, r.errorAt(at, `%s takes "nan", "inf" or "-inf"`, tag)
	case tagComplex:
		return r.complex()
	case tagChannel:
		return nil, r.errorAt(at, "a channel cannot be sent from here")
	}
	if c != '[' {
		return nil, r.errorAt(at, "%s takes an array", tag)
	}
	if hashable && (tag == tagSet || tag == tagDict) {
		return nil, r.errorAt(at, "not hashable: it cannot be a key or in a set")
	}
	switch tag {
	case tagTuple:
		items, err := r.array(hashable)
		return serializer.Tuple(items), err
	case tagDict:
		return r.pairs()
	}
	items, err := r.array(true)
	if err != nil {
		return nil, err
	}
	set := serializer.NewSet()
	for _, item := range items {
		if err := set.Add(item); err != nil {
			return nil, r.errorAt(at, "%v", err)
		}
	}
	if set.Len() != len(items) {
		return nil, r.errorAt(at, "an item is twice in the set")
	}
	if tag == tagFrozenSet {
		return serializer.NewFrozenSet(items...), nil
	}
	return set, nil
}

func (r *reader) textOf(tag, what string) (string, error) {
	if r.peek() != '"' {
		return "", r.errorAt(r.pos, "%s takes %s in a string", tag, what)
	}
	return r.string()
}

// complex reads the two parts of a complex number, which can be ints.
func (r *reader) complex() (any, error) {
	at := r.pos
	if r.peek() != '[' {
		return nil, r.errorAt(at, "%s takes [real, imaginary]", tagComplex)
	}
	items, err := r.array(false)
	if err != nil {
		return nil, err
	}
	var parts []float64
	for _, item := range items {
		switch x := item.(type) {
		case float64:
			parts = append(parts, x)
		case int64:
			parts = append(parts, float64(x))
		}
	}
	if len(items) != 2 || len(parts) != 2 {
		return nil, r.errorAt(at, "%s takes [real, imaginary], two numbers", tagComplex)
	}
	return complex(parts[0], parts[1]), nil
}

// pairs reads the keys and values of a dict.
func (r *reader) pairs() (any, error) {
	d := serializer.NewDict()
	err := r.members('[', ']', func() error {
		r.peek()
		at, n := r.pos, 0
		var pair [2]any
		err := r.members('[', ']', func() error {
			if n == len(pair) {
				return r.errorAt(at, "%s takes pairs: [key, value]", tagDict)
			}
			v, err := r.value(n == 0)
			pair[n] = v
			n++
			return err
		})
		if err != nil {
			return err
		}
		if n != len(pair) {
			return r.errorAt(at, "%s takes pairs: [key, value]", tagDict)
		}
		if _, twice := d.Get(pair[0]); twice {
			return r.errorAt(at, "the key is twice in the dict")
		}
		if err := d.Set(pair[0], pair[1]); err != nil {
			return r.errorAt(at, "%v", err)
		}
		return nil
	})
	return d, err
}
