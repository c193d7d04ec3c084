package testreport

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

// xmlOf is the file that is written for a run, without the time and the host in its head.
func xmlOf(t *testing.T, j *JUnit, events ...testrun.Event) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new", "x.xml")
	for _, e := range events {
		if up, ok := e.(*testrun.WorkerUp); ok {
			up.Options["xmlpath"] = path
		}
		j.Event(e)
	}
	require.NoError(t, j.End(End{}))
	assert.Equal(t, path, j.Path())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file is left")
	var any struct{}
	require.NoError(t, xml.Unmarshal(text, &any))
	for _, attribute := range []string{"timestamp", "hostname"} {
		before, rest, ok := strings.Cut(string(text), " "+attribute+`="`)
		require.True(t, ok)
		_, rest, _ = strings.Cut(rest, `"`)
		text = []byte(before + rest)
	}
	return strings.ReplaceAll(string(text), "><", ">\n<")
}

func TestJUnit(t *testing.T) {
	events := everything()
	events[0], events[2] = events[2], events[0] // a problem can be told before the first worker
	ok := done("gw0", "a.py::test_props", "call passed")
	ok.Properties = [][2]string{{"key", "<value>\x01"}, {"n", "5"}}
	events = append(events, ok)
	out := xmlOf(t, NewJUnit(false, false), events...)
	_, out, _ = strings.Cut(out, `<testsuite name="pytest"`)
	out = out[strings.Index(out, "errors"):]
	assert.Regexp(t, `^errors="3" failures="2" skipped="3" tests="10" time="[0-9.]+">`, out)
	_, out, _ = strings.Cut(out, "\n")
	assert.Equal(t, `<testcase classname="" name="c" time="0.000">
<error message="collection failure">E   ImportError: no</error>
</testcase>
<testcase classname="" name="d" time="0.000">
<skipped message="collection skipped">(&#39;/suite/d.py&#39;, 2, &#39;Skipped: all of it&#39;)</skipped>
</testcase>
<testcase classname="a" name="test_ok" time="1.500">
</testcase>
<testcase classname="a.C" name="test_bad[x::y]" time="1.500">
<failure message="assert 1 == 2">&gt;   assert&#xA;E   assert 1 == 2</failure>
</testcase>
<testcase classname="a" name="test_setup" time="1.500">
<error message="failed on setup with &#34;no set-up&#34;">&gt;   assert&#xA;E   no set-up</error>
</testcase>
<testcase classname="a" name="test_both" time="1.500">
<failure message="first">&gt;   assert&#xA;E   first</failure>
</testcase>
<testcase classname="a" name="test_both" time="1.500">
<error message="failed on teardown with &#34;second&#34;">&gt;   assert&#xA;E   second</error>
</testcase>
<testcase classname="sub.b" name="test_skip" time="1.500">
<skipped type="pytest.skip" message="not now">/suite/sub/b.py:7: not now</skipped>
</testcase>
<testcase classname="sub.b" name="test_x" time="1.500">
<skipped type="pytest.xfail" message="known">
</skipped>
</testcase>
<testcase classname="sub.b" name="test_X" time="1.500">
</testcase>
<testcase classname="a" name="test_props" time="1.500">
<properties>
<property name="key" value="&lt;value&gt;#x01">
</property>
<property name="n" value="5">
</property>
</properties>
</testcase>
</testsuite>
</testsuites>`, out)
}

// The settings of pytest that concern the file.
func TestJUnitSettings(t *testing.T) {
	run := func(options ...string) string {
		test := done("gw0", "a.py::t", "setup passed", "call failed: x")
		test.Phases[1].Text = "\x1b[31mE   x\x1b[0m"
		return xmlOf(t, NewJUnit(true, false), up("gw0", options...), &testrun.Collected{}, test)
	}
	out := run("junit_family", "xunit1", "junitprefix", "pre", "junit_suite_name", "mine", "junit_duration_report", "call")
	assert.Contains(t, out, `<testsuite name="mine"`)
	assert.Contains(t, out, `<testcase classname="pre.a" name="t" file="a.py" line="2" time="0.500">`)
	assert.Contains(t, out, `<failure message="x">E   x</failure>`, "without colours")
	assert.NotContains(t, out, "system-")
	head := func(title string) string { return strings.Repeat("-", 33) + title + strings.Repeat("-", 33) + "&#xA;" }
	out = run("junit_logging", "all")
	assert.Contains(t, out, "<system-out>"+head(" Captured Log ")+"logged&#xA;"+head(" Captured Out ")+"said&#xA;</system-out>")
	assert.Contains(t, out, "<system-err>"+head(" Captured Err ")+"&#xA;</system-err>")
	out = run("junit_logging", "log")
	assert.Contains(t, out, "<system-out>"+head(" Captured Log ")+"logged&#xA;</system-out>")
	out = run("junit_logging", "system-err")
	assert.NotContains(t, out, "system-out")

	passed := func(log string) string {
		return xmlOf(t, NewJUnit(false, false), up("gw0", "junit_logging", "all", "junit_log_passing_tests", log), done("gw0", "a.py::t", "call passed"))
	}
	assert.Contains(t, passed("1"), "system-out")
	assert.NotContains(t, passed(""), "system-out")
}

// Where each worker runs everything, each has a suite.
func TestJUnitEach(t *testing.T) {
	out := xmlOf(t, NewJUnit(false, true), up("gw0"), up("gw1"), done("gw1", "a.py::t", "call passed"), done("gw0", "a.py::t", "call failed: x"))
	assert.Regexp(t, `(?s)<testsuite name="pytest \(gw0, Python 3.12.1\)" errors="0" failures="1".*<testsuite name="pytest \(gw1, Python 3.12.1\)" errors="0" failures="0"`, out)
}

// A file that cannot be written is an error, and without --junitxml there is none.
func TestJUnitWithoutFile(t *testing.T) {
	j := NewJUnit(false, false)
	for _, e := range everything() {
		j.Event(e)
	}
	assert.NoError(t, j.End(End{}))
	assert.Empty(t, j.Path())
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	j = NewJUnit(false, false)
	j.Event(up("gw0", "xmlpath", filepath.Join(file, "x.xml")))
	assert.ErrorContains(t, j.End(End{}), "cannot write the file of --junitxml: ")
}

func TestJUnitNames(t *testing.T) {
	for id, want := range map[string][2]string{
		"a.py::t":                    {"a", "t"},
		"sub/dir/a.py::C::D::t[x/y]": {"sub.dir.a.C.D", "t[x/y]"},
		"a.py::t[b::c[d]]":           {"a", "t[b::c[d]]"},
		"sub/a.py":                   {"", "sub.a"},
		"a.py::t[\x1b]":              {"a", "t[#x1B]"},
	} {
		class, name := junitNames("", id)
		assert.Equal(t, want, [2]string{class, name}, id)
	}
}

func TestLegal(t *testing.T) {
	for text, want := range map[string]string{
		"a\tb\nc\rd é 漢 \U0001F600": "a\tb\nc\rd é 漢 \U0001F600", "\x00\x1b\x7f": "#x00#x1B#x7F", "\ufffe\uffff": "#xFFFE#xFFFF",
	} {
		assert.Equal(t, want, legal(text))
	}
}

func TestExpanded(t *testing.T) {
	t.Setenv("EXECNET_TEST_NAME", "value")
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	assert.Equal(t, home+"/x.xml", expanded("~/x.xml"))
	assert.Equal(t, "~x/value-value$EXECNET_TEST_NONE.xml", expanded("~x/$EXECNET_TEST_NAME-${EXECNET_TEST_NAME}$EXECNET_TEST_NONE.xml"))
}
