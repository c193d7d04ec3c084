package pytest

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestPatterns compares the reading of patterns with that of package testing, which has no function
// for it: what it does with them is in its documentation and in its tests.
func TestPatterns(t *testing.T) {
	for pattern, want := range map[string][][]string{
		"":                {},
		"A":               {{"A"}},
		"^A$/b c/[/|]d":   {{"^A$", "b_c", "[/|]d"}},
		"A/b|C":           {{"A", "b"}, {"C"}},
		"A/(b|c/d)/e":     {{"A", "(b|c/d)", "e"}},
		`A\/b`:            {{`A\/b`}},
		"A//b":            {{"A", "", "b"}},
		`]A/[)]/b`:        {{"]A", "[)]", "b"}},
		"A/\u200b/\u00e4": {{"A", `\u200b`, "\u00e4"}},
	} {
		assert.ElementsMatch(t, want, alternatives(pattern), pattern)
	}
}

func TestSelects(t *testing.T) {
	for _, c := range []struct {
		run, skip, name string
		want            bool
	}{
		{"", "", "T/a.py/f", true},
		{"T", "", "T/a.py/f", true},
		{"T/a", "", "T/a.py/f", true},
		{"T/b", "", "T/a.py/f", false},
		{"T/b|T/a", "", "T/a.py/f", true},
		{"T/a/f/1", "", "T/a.py/f", true}, // package testing runs it, as it might have the rest
		{"T/a/^f$", "", "T/a.py/ff", false},
		{"T", "T/a", "T/a.py/f", false},
		{"T", "T/a/g", "T/a.py/f", true},
		{"T", "T/a/f/1", "T/a.py/f", true},
		{"T", "T/a/f/1", "T/a.py/f/1", false},
	} {
		s := selection{[]string{"T"}, alternatives(c.run), alternatives(c.skip)}
		assert.Equal(t, c.want, s.selects(c.name), "%+v", c)
	}
}

func TestNarrowing(t *testing.T) {
	for _, c := range []struct {
		run, skip string
		only, not [][]string
	}{
		{"", "", nil, nil},
		{"^T$", "", nil, nil},
		{"T/a.py/f|U/b|T/c", "", [][]string{{"a.py", "f"}, {"c"}}, nil},
		{"T/a.py|T", "", nil, nil},
		{`T/\Qa.py\E/(?i)F`, "", [][]string{{`a\.py`, ""}}, nil},
		{`T/\pL`, `T/a/[[:alpha:]]|T/b`, [][]string{{""}}, [][]string{{"b"}}},
		{`T/^(?:a|b)$/\.`, "", [][]string{{"^(?:a|b)$", `\.`}}, nil},
	} {
		s := selection{[]string{"T"}, alternatives(c.run), alternatives(c.skip)}
		assert.Equal(t, c.only, s.only(), "%+v", c)
		assert.Equal(t, c.not, s.not(), "%+v", c)
		assert.Equal(t, c.only != nil || c.not != nil, s.narrows(), "%+v", c)
	}
}

func TestFlags(t *testing.T) {
	assert.Equal(t, flag.Lookup("test.run").Value.String(), flagValue("test.run"))
	assert.Empty(t, flagValue("no such flag"))
}

func TestElements(t *testing.T) {
	for id, want := range map[string][]string{
		"a/test_b.py":                       {"a/test_b.py"},
		"a[1]/test_b.py::test_c":            {"a[1]/test_b.py", "test_c"},
		"test_b.py::TestC::test_d[x::y[1]]": {"test_b.py", "TestC", "test_d", "x::y[1]"},
		"test_b.py::test_d[]":               {"test_b.py", "test_d", ""},
		"README.txt::README.txt":            {"README.txt", "README.txt"},
	} {
		assert.Equal(t, want, elements(id))
	}
}
