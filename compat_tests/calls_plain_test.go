package compat_tests

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestPlainForms has functions return what items cannot hold.
func TestPlainForms(t *testing.T) {
	forms := map[string]any{
		"collections.OrderedDict([('b', 1)])":                                execnet.NewDict("b", 1),
		"collections.defaultdict(list, {'a': [1]})":                          execnet.NewDict("a", []any{1}),
		"collections.Counter('aa')":                                          execnet.NewDict("a", 2),
		"collections.namedtuple('Point', 'x y')(1, [2])":                     execnet.Tuple{1, []any{2}},
		"datetime.datetime(2026, 11, 29, 10, 5, 1)":                          "2026-11-29T10:05:01",
		"datetime.date(2026, 11, 29)":                                        "2026-11-29",
		"datetime.time(10, 5)":                                               "10:05:00",
		"datetime.timedelta(minutes=1.5)":                                    90.0,
		"decimal.Decimal('1.50')":                                            "1.50",
		"fractions.Fraction(1, 3)":                                           "1/3",
		"uuid.UUID('12345678123456781234567812345678')":                      "12345678-1234-5678-1234-567812345678",
		"{'rows': [{'at': datetime.date(2026, 1, 2)}, {3}, frozenset([4])]}": execnet.NewDict("rows", []any{execnet.NewDict("at", "2026-01-02"), execnet.NewSet(3), execnet.NewFrozenSet(4)}),
		"type('Kind', (int,), {})(7)":                                        7,
		"type('Name', (str,), {})('x')":                                      "x",
		"None":                                                               nil,
		"u''":                                                                "",
		"u'B' * 70000":                                                       strings.Repeat("B", 70000),
		"u'\\xe9' * 40000":                                                   strings.Repeat("é", 40000),
	}
	since3 := map[string]any{
		"pathlib.PurePosixPath('/a/b')":                "/a/b",
		"enum.Enum('Colour', 'red green').green":       2,
		"enum.IntEnum('Colour', 'red green').red":      1,
		"{enum.Enum('K', {'a': 'x'}).a: (True, None)}": execnet.NewDict("x", execnet.Tuple{true, nil}),
		"__import__('http').HTTPStatus.OK":             200,
	}
	const source = `
import collections, datetime, decimal, fractions, sys, types, uuid
try:
    import enum, pathlib
except ImportError:
    pass
sys.modules["forms"] = types.ModuleType("forms")
forms = globals().copy()
sys.modules["forms"].make = lambda text: eval(text, forms)
`
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, p.Spec())
			require.NoError(t, remoteExec(t, gw, source).WaitClose(within.Soon(t)))
			check := func(forms map[string]any) {
				for text, want := range forms {
					got, err := gw.RemoteCall(within.Soon(t), "forms.make", text)
					require.NoError(t, err, text)
					wanted, err := execnet.Dumps(want)
					require.NoError(t, err)
					value, err := execnet.Loads(wanted)
					require.NoError(t, err)
					assert.Equal(t, value, got, text)
				}
			}
			check(forms)
			if p.Major > 2 {
				check(since3)
				_, err := gw.RemoteCall(within.Soon(t), "forms.make", `'\ud800'`)
				assert.ErrorContains(t, err, "DumpError: can't serialize the value: the string is not valid UTF-8")
			}
			if p.AtLeast(3, 7) {
				check(map[string]any{
					"__import__('dataclasses').make_dataclass('Row', ['n', 'at'])(1, datetime.date(2026, 1, 2))": execnet.NewDict("n", 1, "at", "2026-01-02"),
				})
			}
			_, err := gw.RemoteCall(within.Soon(t), "forms.make", "{'at': datetime.date(2026, 1, 2), 'rows': [(1, object())]}")
			assert.ErrorContains(t, err, `DumpError: can't serialize ["rows"][0][1]: `)
			_, err = gw.RemoteCall(within.Soon(t), "forms.make", "(lambda l: l.append(l) or [l, datetime.date(2026, 1, 2)])([])")
			assert.ErrorContains(t, err, "DumpError: can't serialize")
		})
	}
}

// TestTimesOfCalls fills times with what Python returns.
func TestTimesOfCalls(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, p.Spec())
			at, err := execnet.RemoteCall[time.Time](within.Soon(t), gw, "datetime.datetime", 2024, 2, 29, 12, 30, 1, 5)
			require.NoError(t, err)
			assert.Equal(t, time.Date(2024, 2, 29, 12, 30, 1, 5000, time.UTC), at)
			at, err = execnet.RemoteCall[time.Time](within.Soon(t), gw, "datetime.date", 2024, 2, 29)
			require.NoError(t, err)
			assert.Equal(t, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), at)
		})
	}
}
