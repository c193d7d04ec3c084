package command

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

var literals = []string{
	"None", "True", "5", "-2147483648", "2147483648", "1267650600228229401496703205376", "1.5", "-0.0", "nan", "inf", "(1+2j)", "'é'", `b'\x00\xff'`,
	"[1, [2], (3,), ()]", "{'a': {1: None}, (1, b'x'): [frozenset({1})]}", "{'a'}", "set()", "frozenset()",
}

func TestDumpsLoads(t *testing.T) {
	for _, literal := range literals {
		public := convert(t, " "+literal+" # and a comment\n", "dumps")
		assert.Equal(t, "\x02", public[:1])
		assert.Equal(t, literal+"\n", convert(t, public, "loads"))
		internal := convert(t, literal, "dumps", "--internal")
		assert.Equal(t, public[1:], internal)
		assert.Equal(t, literal+"\n", convert(t, internal, "loads", "--internal"))
		assert.Equal(t, literal+"\n", convert(t, convert(t, literal, "dumps", "--hex"), "loads", "--hex"))
	}
	assert.Equal(t, "02460000002a51\n", convert(t, "42", "dumps", "--hex"))
	assert.Equal(t, "42\n", convert(t, "02 4600\n00002A51 ", "loads", "--hex"))
}

// Python's execnet reads what dumps writes, and loads reads what it writes.
func TestDumpsLoadsBesidePython(t *testing.T) {
	python := pythons.WithExecnet(t)
	var all string
	for _, literal := range literals {
		all += convert(t, literal, "dumps")
	}
	loads := exec.Command(python, "-c", `
import io, sys, execnet
data = io.BytesIO(sys.stdin.buffer.read())
values = [execnet.load(data) for _ in range(int(sys.argv[1]))]
assert not data.read()
for v in values:
    sys.stderr.write(ascii(v) + "\n")
    sys.stdout.buffer.write(execnet.dumps(v))
`, strconv.Itoa(len(literals)))
	loads.Stdin = strings.NewReader(all)
	var dumped, shown strings.Builder
	loads.Stdout, loads.Stderr = &dumped, &shown
	require.NoError(t, loads.Run(), shown.String())
	want := strings.Join(literals, "\n") + "\n"
	assert.Equal(t, strings.ReplaceAll(want, "é", `\xe9`), strings.ReplaceAll(shown.String(), "\r\n", "\n"))
	assert.Equal(t, want, convert(t, dumped.String(), "loads", "--all"))
}

func TestLoadsAll(t *testing.T) {
	data := convert(t, "1", "dumps") + convert(t, "'two'", "dumps") + convert(t, "[3]", "dumps")
	assert.Equal(t, "1\n'two'\n[3]\n", convert(t, data, "loads", "--all"))
	assert.Empty(t, convert(t, "", "loads", "--all"))
	internal := convert(t, "1", "dumps", "--internal") + convert(t, "'two'", "dumps", "--internal")
	assert.Equal(t, "1\n'two'\n", convert(t, internal, "loads", "--all", "--internal"))

	r := inProcess(data+"\x02X", "loads", "--all")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, "1\n'two'\n[3]\n", r.stdout)
	assert.Equal(t, "execnet loads: cannot load the value (byte 36): unknown opcode 'X'\n46 00 00 00 03 50 51 02 58\n                        ^\n", r.stderr)
}

func TestLoadsPython2Strings(t *testing.T) {
	const py2 = "024d00000002c3a951" // what Python 2 dumps for 'é' in UTF-8
	assert.Equal(t, `b'\xc3\xa9'`+"\n", convert(t, py2, "loads", "--hex"))
	assert.Equal(t, "'Ã©'\n", convert(t, py2, "loads", "--hex", "--py2str-as-py3str"))
	assert.Equal(t, `b'\xc3\xa9'`+"\n", convert(t, convert(t, "'é'", "dumps"), "loads", "--py3str-as-py2str"))
}

func TestDumpsLoadsErrors(t *testing.T) {
	for _, c := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"[1,\n 2, é]\n", []string{"dumps"}, "execnet dumps: line 2, column 5: é is not a literal; write a text in quotes, as in \"é\"\n 2, é]\n    ^\n"},
		{"", []string{"dumps"}, "execnet dumps: line 1, column 1: "},
		{"\x02F\x00\x00\x00\x2aUQ", []string{"loads"}, "execnet loads: cannot load the value (byte 6): unknown opcode 'U'\n02 46 00 00 00 2a 55 51\n                  ^\n"},
		{"F\x00\x00\x00\x2aUQ", []string{"loads", "--internal"}, "execnet loads: cannot load the value (byte 5): unknown opcode 'U'\n46 00 00 00 2a 55 51\n               ^\n"},
		{"02 46 0000002a 51 51", []string{"loads", "--hex"}, "(byte 7): bytes after the value (--all reads several values)\n02 46 00 00 00 2a 51 51\n                     ^\n"},
		{"", []string{"loads"}, "(byte 0): there is nothing to load\n"},
		{"\x03LQ", []string{"loads"}, "(byte 0): "},
		{"024", []string{"loads", "--hex"}, "not two hexadecimal digits, at byte 2\n024\n  ^\n"},
		{"02\n4x", []string{"loads", "--hex"}, "not two hexadecimal digits, at byte 3\n4x\n^\n"},
	} {
		r := inProcess(c.stdin, c.args...)
		assert.Equal(t, 1, r.code, c.args)
		assert.Contains(t, r.stderr, c.want)
		assert.Empty(t, r.stdout)
	}
}
