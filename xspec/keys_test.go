package xspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/xspec"
)

func TestCheckKeys(t *testing.T) {
	for _, text := range []string{
		"popen", "popen//python=p//nice=1//env:X=1//env%:Y=%2F%2F//tls=no", "popen//x-color=red//x-", "popen//python%=a//chdir%=b",
	} {
		assert.NoError(t, mustParse(t, text).CheckKeys(), text)
	}
	for _, test := range []struct{ text, key, says string }{
		{"popen//pyton=python2.7", "pyton", `did you mean "python"?`},
		{"popen//Python=python2.7", "Python", `did you mean "python"?`},
		{"popen//pythno=python2.7", "pythno", `did you mean "python"?`},
		{"popen//interpreter=python2.7", "interpreter", "a key is one of account, advertise, bootstrap, chdir, container, context, docker, dont_write_bytecode, engine, env:NAME, execmodel, gpus, id, installvia, kubectl, launch, listen, n,"},
		{"dokcer=box", "dokcer", `did you mean "docker"?`},
		{"kubectl=web//namespaces=shop", "namespaces", `did you mean "namespace"?`},
		{"popn", "popn", `did you mean "popen"?`},
		{"ssh=h//ssh-config=f", "ssh-config", `did you mean "ssh_config"?`},
		{"ssh=h//exec_model=thread", "exec_model", `did you mean "execmodel"?`},
		{"popen//dont_write_bytecodes", "dont_write_bytecodes", `did you mean "dont_write_bytecode"?`},
		{"popen//cdir=/tmp", "cdir", `did you mean "chdir"?`},
		{"popen//ENV:A=b", "ENV:A", `did you mean "env:A"?`},
		{"popen//X-color=red", "X-color", "a key is one of"},
		{"popen//env:HTTP_PROXY=http://proxy:3128", "proxy:3128", `if it belongs to the value of env:HTTP_PROXY, write "//" there as "env%:HTTP_PROXY=...%2F%2F..."`},
		{"popen//python=docker run -e U=http://me@host img python3", "me@host img python3", `write "//" there as "python%=...%2F%2F..."`},
		{"popen//python%=docker run -e U=http://me@host img python3", "me@host img python3", `write "//" there as "python%=...%2F%2F..."`},
		{"popen//nice%=5", "nice%", `did you mean "nice"?`},
	} {
		var e *xspec.Error
		require.ErrorAs(t, mustParse(t, test.text).CheckKeys(), &e, test.text)
		assert.Equal(t, test.key, e.Key, test.text)
		assert.Equal(t, test.text, e.Spec)
		assert.Contains(t, e.Problem, test.says, test.text)
	}
}

// Where "//" has cut a value, and what follows it happens to be a key, nothing was meant that way.
func TestCutValue(t *testing.T) {
	for text, key := range map[string]string{
		"popen//env:PROXY=http://id=x": "env:PROXY", "popen//env:PROXY=http://proxy:3128": "env:PROXY", "popen//env:U=git+ssh://x-host": "env:U",
		"env:URL=redis://popen": "env:URL", "ssh=ssh://id=x": "ssh",
	} {
		var e *xspec.Error
		require.ErrorAs(t, mustParse(t, text).Validate(), &e, text)
		assert.Equal(t, key, e.Key, text)
		assert.Contains(t, e.Problem, `%2F%2F`, text)
	}
	for _, text := range []string{
		"popen//env:PATH=/usr/bin:/bin:", "popen//env:PATH=/usr/bin://id=x", `popen//chdir=C://id=x`, "popen//env:X=http:", "popen//env%:X=http://id=x", "popen//env:X=://id=y",
	} {
		assert.NoError(t, mustParse(t, text).Validate(), text)
	}
}

// A % behind a key says that its value is percent-encoded.
func TestPercentEncoded(t *testing.T) {
	s := mustParse(t, "popen//env%:PROXY=http:%2F%2Fproxy:3128/a+b%25//env:PLAIN=%2F//python%=docker run -e A=%2f%2F x//chdir%=/a b//id%=%C3%A9")
	assert.Equal(t, map[string]string{"PROXY": "http://proxy:3128/a+b%", "PLAIN": "%2F"}, s.Env)
	assert.Equal(t, "docker run -e A=// x", s.Python)
	assert.Equal(t, "/a b", s.ChDir)
	assert.Equal(t, "é", s.ID)
	assert.Empty(t, s.Extra)
	value, isSet := s.Get("env:PROXY")
	assert.True(t, isSet)
	assert.Equal(t, "http://proxy:3128/a+b%", value)
	for text, key := range map[string]string{
		"popen//env%:A=%":               "env%:A",
		"popen//env%:A=%zz":             "env%:A",
		"popen//env%:A=%00":             "env%:A",
		"popen//env%:A=1//env:A=2":      "env:A",
		"popen//python=a//python%=a":    "python%",
		"popen//env%=A":                 "env%",
		"popen//env%:=A":                "env%:",
		"popen//python%":                "python%",
		"popen//env:PROXY=//proxy:3128": "",
	} {
		_, err := xspec.Parse(text)
		if key == "" { // an empty variable and then an unknown key
			assert.ErrorContains(t, mustParse(t, text).CheckKeys(), `write "//" there as "env%:PROXY=`)
			continue
		}
		var e *xspec.Error
		require.ErrorAs(t, err, &e, text)
		assert.Equal(t, key, e.Key, text)
	}
}
