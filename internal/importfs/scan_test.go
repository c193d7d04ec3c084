package importfs

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScan(t *testing.T) {
	for source, want := range map[string][]statement{
		"import a":                                                     {{module: "a"}},
		"\ufeffimport a":                                               {{module: "a"}},
		"import a.b.c as d, e ; import f # g":                          {{module: "a.b.c"}, {module: "e"}, {module: "f"}},
		"import a, \\\r\n  b\rimport c":                                {{module: "a"}, {module: "b"}, {module: "c"}},
		"from a.b import c as d, e":                                    {{module: "a.b", names: []string{"c", "e"}}},
		"from . import (a, # first\n  b as x,\n c,\n)\nd":              {{level: 1, names: []string{"a", "b", "c"}}},
		"from ... a.b import *":                                        {{level: 3, module: "a.b"}},
		"from .import_ import x":                                       {{level: 1, module: "import_", names: []string{"x"}}},
		"if x: import a\nelse: from b import c":                        {{module: "a"}, {module: "b", names: []string{"c"}}},
		"try:\n\timport a\nexcept ImportError:\n\tpass":                {{module: "a"}},
		"def f(\n  x=(1, 2)):\n    import a":                           {{module: "a"}},
		"'''\nimport a\n'''\nr\"\\\"import b\"\nimport c":              {{module: "c"}},
		"x = 'it''s' # import a\nimport b":                             {{module: "b"}},
		"f\"{x[\"import a\"]}\"\nimport b":                             {{module: "b"}},
		"x = 'not closed\nimport a":                                    {{module: "a"}},
		"raise E from a\nyield from b\nx.import_a":                     nil,
		"importlib.import_module('.a.b', __name__); __import__(\"c\")": {{level: 1, module: "a.b"}, {module: "c"}},
		"import_module(name)":                                          nil,
		"import é":                                                     {{module: "é"}},
		"import":                                                       nil,
		"from":                                                         {{}},
		"from . import":                                                {{level: 1}},
		"\\":                                                           nil,
	} {
		assert.Equal(t, want, scan([]byte(source)), "%q", source)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("from .a import (b, c)\nimport d as e, f\n'''x'''"))
	f.Fuzz(func(t *testing.T, source []byte) {
		for _, s := range scan(source) {
			assert.GreaterOrEqual(t, s.level, 0)
		}
	})
}
