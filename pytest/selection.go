package pytest

import (
	"flag"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// selection is what -run and -skip say of the tests below one Go test.
type selection struct {
	root []string   // the elements of that test's name
	run  [][]string // alternatives, each of them patterns for elements from the first on
	skip [][]string
}

// newSelection reads the flags of this test program for the test with the name.
func newSelection(name string) selection {
	return selection{strings.Split(name, "/"), alternatives(flagValue("test.run")), alternatives(flagValue("test.skip"))}
}

// flagValue is a flag of package testing, or "".
func flagValue(name string) string {
	if f := flag.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// alternatives reads a pattern as package testing does: "|" outside of brackets separates
// alternatives, "/" the elements of one. An empty pattern has none.
func alternatives(pattern string) (all [][]string) {
	if pattern == "" {
		return nil
	}
	one, from := []string{}, 0
	brackets, parentheses := 0, 0
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		inside := brackets > 0 || parentheses != 0
		switch {
		case c == '\\':
			i++
		case c == '[':
			brackets++
		case c == ']':
			brackets = max(brackets-1, 0)
		case c == '(' && brackets == 0:
			parentheses++
		case c == ')' && brackets == 0:
			parentheses--
		case c == '/' && !inside, c == '|' && !inside:
			one = append(one, visible(pattern[from:i]))
			from = i + 1
			if c == '|' {
				all = append(all, one)
				one = []string{}
			}
		}
	}
	return append(all, append(one, visible(pattern[from:])))
}

// visible is a name, or a pattern for names, as package testing rewrites it: without space and with
// escapes for what cannot be printed.
func visible(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte('_')
		case !strconv.IsPrint(r):
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// selects reports whether package testing would run the subtest with the whole name.
func (s selection) selects(name string) bool {
	elements := strings.Split(name, "/")
	runs, _ := match(s.run, elements)
	skips, part := match(s.skip, elements)
	return (runs || s.run == nil) && (!skips || part)
}

// match reports whether an alternative matches the elements, and whether it has patterns for more
// of them. That goes by the first one that does.
func match(all [][]string, elements []string) (matches, part bool) {
	for _, one := range all {
		matches = true
		for i := range min(len(one), len(elements)) {
			ok, err := regexp.MatchString(one[i], elements[i])
			matches = matches && ok && err == nil // package testing has refused what is no pattern
		}
		if matches {
			return true, len(elements) < len(one)
		}
	}
	return false, false
}

// narrows reports whether the flags may leave out tests below the root.
func (s selection) narrows() bool { return len(s.below(s.run)) > 0 || len(s.below(s.skip)) > 0 }

// below are the patterns for the elements that follow the root, of the alternatives that match the
// root. It is empty if all that is below the root matches.
func (s selection) below(all [][]string) (out [][]string) {
	for _, one := range all {
		if ok, part := match([][]string{one}, s.root); ok && part {
			out = append(out, slices.Clone(one[len(s.root):]))
		} else if ok {
			return nil
		}
	}
	return out
}

// only and not are patterns for the elements of files' paths, in the syntax of Python: what no list
// of only matches, and what one of not matches as a whole, need not be looked at for tests. They
// leave out less than selects does where the syntax of Python may differ.
func (s selection) only() [][]string {
	all := s.below(s.run)
	for _, one := range all {
		for i, pattern := range one {
			one[i], _ = forPython(pattern)
		}
	}
	return all
}

func (s selection) not() (out [][]string) {
	for _, one := range s.below(s.skip) {
		exact := true
		for i, pattern := range one {
			ok := false
			one[i], ok = forPython(pattern)
			exact = exact && ok
		}
		if exact {
			out = append(out, one)
		}
	}
	return out
}

var (
	quoted = regexp.MustCompile(`\\Q(.*?)(\\E|$)`)
	common = regexp.MustCompile(`^([\w./^$|*+?,=@#%:;<>!"' -]|\(|\)|\[\^?[\w.,=@#%:;<>!/-]+\]|\\[^\w\s]|[^\x00-\x7f])*$`)
)

// forPython returns a pattern that means the same in Python. ok is false, and the pattern matches
// everything, if that is not certain.
func forPython(pattern string) (_ string, ok bool) {
	pattern = quoted.ReplaceAllStringFunc(pattern, func(q string) string {
		return regexp.QuoteMeta(quoted.FindStringSubmatch(q)[1])
	})
	if common.MatchString(pattern) && !strings.Contains(strings.ReplaceAll(pattern, "(?:", ""), "(?") {
		return pattern, true
	}
	return "", false
}
