package pyvalue

// The methods that str and bytes both have (split, strip, find, join, ljust and so on), written
// once for both.

import (
	"strings"

	"github.com/go-python/gpython/py"
)

// addTextMethods gives str or bytes the methods that both have.
func addTextMethods(k *textKind) {
	k.addSplitting()
	k.addStripping()
	k.addSearching()
	k.addJoining()
	k.addPadding()
}

// method adds a method that sees the content of self.
func (k *textKind) method(text string, f func(s string, a []py.Object) (py.Object, error)) {
	addMethod(k.typ, text, func(self py.Object, a []py.Object) (py.Object, error) {
		s, _ := k.of(self)
		return f(s, a)
	})
}

func isNone(o py.Object) bool { return o == nil || o == py.Object(py.None) }

// separator reads the sep of split and rsplit; empty means runs of space.
func (k *textKind) separator(o py.Object) (string, error) {
	if isNone(o) {
		return "", nil
	}
	sep, ok := k.of(o)
	switch {
	case !ok && k.bytes:
		return "", needsBytes(o)
	case !ok:
		return "", py.ExceptionNewf(py.TypeError, "must be str or None, not %s", typeName(o))
	case sep == "":
		return "", py.ExceptionNewf(py.ValueError, "empty separator")
	}
	return sep, nil
}

func needsBytes(o py.Object) error {
	return py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", typeName(o))
}

// addSplitting adds split, rsplit, splitlines, partition and rpartition.
func (k *textKind) addSplitting() {
	splitter := func(bySep func(s, sep string, most int) []string, bySpace func(string, func(rune) bool, int) []string) func(string, []py.Object) (py.Object, error) {
		return func(s string, a []py.Object) (py.Object, error) {
			sep, err := k.separator(a[0])
			if err != nil {
				return nil, err
			}
			most := -1
			if a[1] != nil {
				if most, err = asSize(a[1]); err != nil {
					return nil, err
				}
			}
			if most < 0 || most > mostParts() {
				most = mostParts()
			}
			if sep == "" {
				return k.list(bySpace(s, k.space, most))
			}
			return k.list(bySep(s, sep, most))
		}
	}
	k.method("split(sep=, maxsplit=)", splitter(split, fields))
	k.method("rsplit(sep=, maxsplit=)", splitter(rsplit, rfields))
	k.method("splitlines(keepends=)", func(s string, a []py.Object) (py.Object, error) {
		keep, err := Truth(optional(a[0], py.False))
		if err != nil {
			return nil, err
		}
		return k.list(lines(s, k.lineEnds, keep, mostParts()))
	})
	partition := func(index func(s, sep string) int, first bool) func(string, []py.Object) (py.Object, error) {
		return func(s string, a []py.Object) (py.Object, error) {
			sep, ok := k.of(a[0])
			switch {
			case !ok && k.bytes:
				return nil, needsBytes(a[0])
			case !ok:
				return nil, py.ExceptionNewf(py.TypeError, "must be str, not %s", typeName(a[0]))
			case sep == "":
				return nil, py.ExceptionNewf(py.ValueError, "empty separator")
			}
			none := k.wrap("")
			i := index(s, sep)
			switch {
			case i >= 0:
				return py.Tuple{k.wrap(s[:i]), k.wrap(sep), k.wrap(s[i+len(sep):])}, nil
			case first:
				return py.Tuple{k.wrap(s), none, none}, nil
			}
			return py.Tuple{none, none, k.wrap(s)}, nil
		}
	}
	k.method("partition(sep, /)", partition(strings.Index, true))
	k.method("rpartition(sep, /)", partition(strings.LastIndex, false))
}

// addStripping adds strip and its kin, and removeprefix and removesuffix.
func (k *textKind) addStripping() {
	for name, side := range map[string]int{"strip": 0, "lstrip": -1, "rstrip": 1} {
		k.method(name+"(chars=, /)", func(s string, a []py.Object) (py.Object, error) {
			drop := k.space
			if !isNone(a[0]) {
				chars, ok := k.of(a[0])
				switch {
				case !ok && k.bytes:
					return nil, needsBytes(a[0])
				case !ok:
					return nil, py.ExceptionNewf(py.TypeError, "%s arg must be None or str", name)
				case k.bytes:
					return k.wrap(stripBytes(s, chars, side)), nil
				}
				drop = func(r rune) bool { return strings.ContainsRune(chars, r) }
			}
			if side <= 0 {
				s = strings.TrimLeftFunc(s, drop)
			}
			if side >= 0 {
				s = strings.TrimRightFunc(s, drop)
			}
			return k.wrap(s), nil
		})
	}
	for name, cut := range map[string]func(s, part string) (string, bool){
		"removeprefix": strings.CutPrefix, "removesuffix": strings.CutSuffix,
	} {
		k.method(name+"(part, /)", func(s string, a []py.Object) (py.Object, error) {
			part, ok := k.of(a[0])
			switch {
			case !ok && k.bytes:
				return nil, needsBytes(a[0])
			case !ok:
				return nil, py.ExceptionNewf(py.TypeError, "%s() argument must be str, not %s", name, typeName(a[0]))
			}
			s, _ = cut(s, part)
			return k.wrap(s), nil
		})
	}
}

func stripBytes(s, chars string, side int) string {
	for side <= 0 && s != "" && strings.IndexByte(chars, s[0]) >= 0 {
		s = s[1:]
	}
	for side >= 0 && s != "" && strings.IndexByte(chars, s[len(s)-1]) >= 0 {
		s = s[:len(s)-1]
	}
	return s
}

// pattern returns the text that is searched for.
func (k *textKind) pattern(o py.Object) (string, error) {
	if s, ok := k.of(o); ok {
		return s, nil
	}
	if !k.bytes {
		return "", py.ExceptionNewf(py.TypeError, "must be str, not %s", typeName(o))
	}
	if _, ok := asInt(o); !ok {
		return "", py.ExceptionNewf(py.TypeError, "argument should be integer or bytes-like object, not '%s'", typeName(o))
	}
	c, err := asByte(o)
	return string([]byte{c}), err
}

// window gives the part of s between two positions in characters, and where it begins. ok is false
// when the start is beyond the end, where not even the empty string is found.
func (k *textKind) window(s string, start, end py.Object) (part string, from int, ok bool, err error) {
	n := k.length(s)
	if start != nil {
		if i, isInt := asInt(start); isInt && i.IsInt64() && i.Int64() > int64(n) {
			return "", 0, false, nil
		}
	}
	from, to, err := clampedRange(start, end, n)
	if err != nil || from > to {
		return "", 0, false, err
	}
	return s[k.offset(s, from):k.offset(s, to)], from, true, nil
}

// addSearching adds find, index, count, startswith and their kin.
func (k *textKind) addSearching() {
	search := func(index func(s, sub string) int, must bool) func(string, []py.Object) (py.Object, error) {
		return func(s string, a []py.Object) (py.Object, error) {
			sub, err := k.pattern(a[0])
			if err != nil {
				return nil, err
			}
			part, from, ok, err := k.window(s, a[1], a[2])
			if err != nil {
				return nil, err
			}
			if ok {
				if i := index(part, sub); i >= 0 {
					return py.Int(from + k.length(part[:i])), nil
				}
			}
			switch {
			case !must:
				return py.Int(-1), nil
			case k.bytes:
				return nil, py.ExceptionNewf(py.ValueError, "subsection not found")
			}
			return nil, py.ExceptionNewf(py.ValueError, "substring not found")
		}
	}
	k.method("find(sub, start=, end=, /)", search(strings.Index, false))
	k.method("index(sub, start=, end=, /)", search(strings.Index, true))
	k.method("rfind(sub, start=, end=, /)", search(strings.LastIndex, false))
	k.method("rindex(sub, start=, end=, /)", search(strings.LastIndex, true))
	k.method("count(sub, start=, end=, /)", func(s string, a []py.Object) (py.Object, error) {
		sub, err := k.pattern(a[0])
		if err != nil {
			return nil, err
		}
		part, _, ok, err := k.window(s, a[1], a[2])
		switch {
		case err != nil || !ok:
			return py.Int(0), err
		case sub == "":
			return py.Int(k.length(part) + 1), nil
		}
		return py.Int(strings.Count(part, sub)), nil
	})
	for name, has := range map[string]func(s, part string) bool{"startswith": strings.HasPrefix, "endswith": strings.HasSuffix} {
		k.method(name+"(part, start=, end=, /)", func(s string, a []py.Object) (py.Object, error) {
			candidates, ok := a[0].(py.Tuple)
			if !ok {
				candidates = py.Tuple{a[0]}
			}
			part, _, inside, err := k.window(s, a[1], a[2])
			if err != nil {
				return nil, err
			}
			for _, o := range candidates {
				candidate, isText := k.of(o)
				switch {
				case isText:
				case ok && k.bytes:
					return nil, needsBytes(o)
				case ok:
					return nil, py.ExceptionNewf(py.TypeError, "tuple for %s must only contain str, not %s", name, typeName(o))
				default:
					return nil, py.ExceptionNewf(py.TypeError, "%s first arg must be %s or a tuple of %[2]s, not %[3]s", name, k.typ.Name, typeName(o))
				}
				if inside && has(part, candidate) {
					return py.True, nil
				}
			}
			return py.False, nil
		})
	}
}

// addJoining adds join and replace.
func (k *textKind) addJoining() {
	k.method("join(iterable, /)", func(s string, a []py.Object) (py.Object, error) {
		if !iterable(a[0]) {
			if k.bytes {
				return nil, py.ExceptionNewf(py.TypeError, "can only join an iterable")
			}
			return nil, py.ExceptionNewf(py.TypeError, "can only join an iterable")
		}
		var parts []string
		var size total
		it, err := Iter(a[0])
		if err != nil {
			return nil, err
		}
		all, err := items(it)
		if err != nil {
			return nil, err
		}
		err = iterate(py.Tuple(all), func(item py.Object) error {
			part, ok := k.of(item)
			switch {
			case !ok && k.bytes:
				return py.ExceptionNewf(py.TypeError, "sequence item %d: expected a bytes-like object, %s found", len(parts), typeName(item))
			case !ok:
				return py.ExceptionNewf(py.TypeError, "sequence item %d: expected str instance, %s found", len(parts), typeName(item))
			}
			parts = append(parts, part)
			return size.add(len(part) + len(s) + partBytes)
		})
		if err != nil {
			return nil, err
		}
		return k.wrap(strings.Join(parts, s)), nil
	})
	k.method("replace(old, new, count=, /)", func(s string, a []py.Object) (py.Object, error) {
		var both [2]string
		for i := range both {
			var ok bool
			if both[i], ok = k.of(a[i]); !ok {
				if k.bytes {
					return nil, needsBytes(a[i])
				}
				return nil, py.ExceptionNewf(py.TypeError, "replace() argument %d must be str, not %s", i+1, typeName(a[i]))
			}
		}
		count := -1
		if a[2] != nil {
			var err error
			if count, err = asSize(a[2]); err != nil {
				return nil, err
			}
		}
		times := strings.Count(s, both[0])
		if both[0] == "" {
			times = k.length(s) + 1
		}
		if count >= 0 {
			times = min(times, count)
		}
		if err := Fits(times, len(both[1])); err != nil {
			return nil, err
		}
		if both[0] == "" && k.bytes {
			return k.wrap(interleave(s, both[1], count)), nil
		}
		return k.wrap(strings.Replace(s, both[0], both[1], count)), nil
	})
}

// interleave puts what before each byte and at the end, at most count times.
func interleave(s, what string, count int) string {
	var b strings.Builder
	for i := 0; i <= len(s); i++ {
		if count != 0 {
			b.WriteString(what)
			count--
		}
		if i < len(s) {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// addPadding adds center, ljust, rjust, zfill and expandtabs.
func (k *textKind) addPadding() {
	for name, align := range map[string]byte{"ljust": '<', "rjust": '>', "center": '^'} {
		k.method(name+"(width, fillchar=, /)", func(s string, a []py.Object) (py.Object, error) {
			width, err := asSize(a[0])
			if err != nil {
				return nil, err
			}
			fill := " "
			if a[1] != nil {
				var ok bool
				if fill, ok = k.of(a[1]); !ok {
					if k.bytes {
						return nil, py.ExceptionNewf(py.TypeError, "%s() argument 2 must be a byte string of length 1, not %s", name, typeName(a[1]))
					}
					return nil, py.ExceptionNewf(py.TypeError, "The fill character must be a unicode character, not %s", typeName(a[1]))
				}
				if k.length(fill) != 1 {
					return nil, py.ExceptionNewf(py.TypeError, "The fill character must be exactly one character long")
				}
			}
			missing := width - k.length(s)
			if missing <= 0 {
				return k.wrap(s), nil
			}
			if err := Fits(missing, len(fill)); err != nil {
				return nil, err
			}
			left := 0
			switch align {
			case '>':
				left = missing
			case '^':
				left = missing/2 + missing&width&1
			}
			return k.wrap(strings.Repeat(fill, left) + s + strings.Repeat(fill, missing-left)), nil
		})
	}
	k.method("zfill(width, /)", func(s string, a []py.Object) (py.Object, error) {
		width, err := asSize(a[0])
		if err != nil {
			return nil, err
		}
		missing := width - k.length(s)
		if missing <= 0 {
			return k.wrap(s), nil
		}
		if err := Fits(1, missing+len(s)); err != nil {
			return nil, err
		}
		sign := ""
		if s != "" && (s[0] == '+' || s[0] == '-') {
			sign, s = s[:1], s[1:]
		}
		return k.wrap(sign + strings.Repeat("0", missing) + s), nil
	})
	k.method("expandtabs(tabsize=)", func(s string, a []py.Object) (py.Object, error) {
		size, err := sizeOr(a[0], 8)
		if err != nil {
			return nil, err
		}
		if k.bytes {
			s = fromLatin1([]byte(s))
		}
		if s, err = expandTabs(s, size); err != nil {
			return nil, err
		}
		if k.bytes {
			return py.Bytes(toLatin1(s)), nil
		}
		return k.wrap(s), nil
	})
}
