package xspec_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/xspec"
)

func mustParse(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	s, err := xspec.Parse(text)
	require.NoError(t, err)
	require.Equal(t, text, s.String())
	return s
}

func TestEveryKey(t *testing.T) {
	s := mustParse(t, "popen=no//ssh=-p 5000 me@host//ssh_config=a b//sshclient=openssh//vagrant_ssh=box//socket=[::1]:88//via=g1//installvia=g2"+
		"//python=docker exec -i box python3//chdir=/tmp/x=y//id=one//execmodel=gevent//nice=-3//dont_write_bytecode//bootstrap=import"+
		"//env:A=1//env:B=//env:a=x=y//color=red//flag")
	assert.False(t, s.Popen)
	assert.Equal(t, "-p 5000 me@host", s.SSH)
	assert.Equal(t, "a b", s.SSHConfig)
	assert.Equal(t, "openssh", s.SSHClient)
	assert.Equal(t, "box", s.VagrantSSH)
	assert.Equal(t, "[::1]:88", s.Socket)
	assert.Equal(t, "g1", s.Via)
	assert.Equal(t, "g2", s.InstallVia)
	assert.Equal(t, "docker exec -i box python3", s.Python)
	assert.Equal(t, "/tmp/x=y", s.ChDir)
	assert.Equal(t, "one", s.ID)
	assert.Equal(t, "gevent", s.ExecModel)
	assert.Equal(t, -3, s.Nice)
	assert.True(t, s.DontWriteBytecode)
	assert.Equal(t, "import", s.Bootstrap)
	assert.Equal(t, map[string]string{"A": "1", "B": "", "a": "x=y"}, s.Env)
	assert.Equal(t, map[string]any{"color": "red", "flag": true}, s.Extra)
}

func TestGet(t *testing.T) {
	s := mustParse(t, `popen//python=C:\Python 3\python.exe//nice=5//env:X=//color=red//flag`)
	for key, want := range map[string]string{"popen": "", "python": `C:\Python 3\python.exe`, "nice": "5", "env:X": "", "color": "red", "flag": ""} {
		value, isSet := s.Get(key)
		assert.True(t, isSet, key)
		assert.Equal(t, want, value, key)
	}
	for _, key := range []string{"ssh", "socket", "dont_write_bytecode", "env:Y", "other", "", "env"} {
		_, isSet := s.Get(key)
		assert.False(t, isSet, key)
	}
	s.ID = "later"
	value, isSet := s.Get("id")
	assert.True(t, isSet)
	assert.Equal(t, "later", value)

	_, isSet = mustParse(t, "popen").Get("nice")
	assert.False(t, isSet)
	_, isSet = mustParse(t, "socket//installvia=gw0").Get("socket")
	assert.True(t, isSet)
}

func TestSwitches(t *testing.T) {
	for text, want := range map[string]bool{
		"popen": false, "popen//dont_write_bytecode": true,
		"popen//dont_write_bytecode=1": true, "popen//dont_write_bytecode=True": true, "popen//dont_write_bytecode=yes": true, "popen//dont_write_bytecode=ON": true,
		"popen//dont_write_bytecode=0": false, "popen//dont_write_bytecode=False": false, "popen//dont_write_bytecode=no": false, "popen//dont_write_bytecode=off": false,
	} {
		assert.Equal(t, want, mustParse(t, text).DontWriteBytecode, text)
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ text, key, says string }{
		{"", "", "empty"},
		{"popen//", "", "key is missing"},
		{"//popen", "", "key is missing"},
		{"popen//python=//server/share/python.exe", "python", "does not start with"},
		{"popen////id=x", "", "key is missing"},
		{"=x//popen", "", `before "=x"`},
		{"_spec=1", "_spec", "underscore"},
		{"popen//_", "_", "underscore"},
		{"popen//popen", "popen", "twice"},
		{"popen//id=a//id=a", "id", "twice"},
		{"popen//x//x=1", "x", "twice"},
		{"popen//env:A=1//env:A=2", "env:A", "twice"},
		{"popen//env=A", "env", "env:NAME=value"},
		{"popen//env:=A", "env:", "env:NAME=value"},
		{"popen//env:A", "env:A", "env:A=value"},
		{"popen//nice=x", "nice", "not an integer"},
		{"popen//nice=1.5", "nice", "not an integer"},
		{"popen//nice", "nice", "nice=10"},
		{"popen=maybe", "popen", "either on or off"},
		{"popen=", "popen", "either on or off"},
		{"popen//dont_write_bytecode=2", "dont_write_bytecode", "either on or off"},
		{"popen//python", "python", "python=python3"},
		{"popen//chdir=", "chdir", "chdir=FOLDER"},
		{"ssh", "ssh", "ssh=user@host"},
		{"socket=", "socket", "socket=HOST:PORT"},
		{"popen//id=\x00", "", "NUL"},
	} {
		_, err := xspec.Parse(test.text)
		var e *xspec.Error
		if assert.True(t, errors.As(err, &e), "%q: %v", test.text, err) {
			assert.Equal(t, test.text, e.Spec)
			assert.Equal(t, test.key, e.Key, test.text)
			assert.ErrorContains(t, err, test.says)
		}
	}
	for _, key := range []string{"ssh", "ssh_config", "sshclient", "vagrant_ssh", "docker", "podman", "kubectl", "namespace", "container", "context", "via", "installvia", "python", "chdir", "id", "execmodel", "bootstrap", "nice"} {
		for _, text := range []string{key, key + "="} {
			_, err := xspec.Parse(text)
			assert.ErrorContains(t, err, `write "`+key+"=", text)
		}
	}
}

func TestClone(t *testing.T) {
	s := mustParse(t, "popen//env:A=1//x=2")
	c := s.Clone()
	assert.Equal(t, s, c)
	c.Env["A"], c.Extra["x"], c.ID = "other", "other", "other"
	assert.Equal(t, mustParse(t, "popen//env:A=1//x=2"), s)
}

func TestIDsAreOneLine(t *testing.T) {
	require.NoError(t, mustParse(t, "popen//id=it's \"mine\"").Validate())
	for _, id := range []string{"a\nb", "a\x1bb", "a\u0085b"} {
		assert.ErrorContains(t, mustParse(t, "popen//id="+id).Validate(), "control characters")
	}
}

func TestSelf(t *testing.T) {
	s := mustParse(t, "popen//self")
	assert.True(t, s.Self)
	for _, text := range []string{"popen//self", "popen//via=gw//self", "ssh=host//self", "ssh=host//via=gw//self//sshclient=openssh", "vagrant_ssh=box//self"} {
		require.NoError(t, mustParse(t, text).Validate())
	}
	for text, says := range map[string]string{
		"socket=host:1//self":           "does not go with socket",
		"popen//self//python=python3":   "python=python3",
		"popen//self//bootstrap=import": "bootstrap",
	} {
		assert.ErrorContains(t, mustParse(t, text).Validate(), says, text)
	}
}

func TestEngine(t *testing.T) {
	assert.Equal(t, "gpython", mustParse(t, "popen//self//engine=gpython").Engine)
	for _, engine := range xspec.Engines() {
		for _, text := range []string{"popen//self", "popen//python=execnet worker", "ssh=h//python=execnet", "socket=h:1", "popen//via=g//self"} {
			assert.NoError(t, mustParse(t, text+"//engine="+engine).Validate(), text)
		}
	}
	for text, says := range map[string]string{
		"popen//self//engine=cython":           `"cython" is unknown; it is one of auto, gpython, cpython`,
		"popen//self//engine=CPython":          `"CPython" is unknown`,
		"popen//bootstrap=import//engine=auto": "bootstrap=import makes a Python one",
	} {
		var e *xspec.Error
		require.ErrorAs(t, mustParse(t, text).Validate(), &e, text)
		assert.Equal(t, "engine", e.Key)
		assert.Contains(t, e.Problem, says)
	}
	_, err := xspec.Parse("popen//self//engine")
	assert.ErrorContains(t, err, "engine=cpython")
}

func TestTLS(t *testing.T) {
	s := mustParse(t, "socket=h:1//tls//tls_ca=a//tls_cert=b//tls_key=c//tls_name=d")
	assert.Equal(t, []any{true, "a", "b", "c", "d"}, []any{s.TLS, s.TLSCA, s.TLSCert, s.TLSKey, s.TLSName})
	require.NoError(t, s.Validate())
	for text, uses := range map[string]bool{"socket=h:1": false, "socket=h:1//tls=no": false, "socket=h:1//tls": true, "socket=h:1//tls_ca=f": true, "socket=h:1//tls_name=n": true} {
		s := mustParse(t, text)
		assert.Equal(t, uses, s.UsesTLS(), text)
		assert.NoError(t, s.Validate(), text)
	}
	for text, key := range map[string]string{
		"popen//tls": "tls", "ssh=h//tls_ca=f": "tls_ca", "socket//installvia=g//tls": "tls", "socket=h:1//via=g//tls_name=n": "tls_name",
		"socket=h:1//tls_cert=f": "tls_cert", "socket=h:1//tls_key=f": "tls_key",
	} {
		var e *xspec.Error
		require.ErrorAs(t, mustParse(t, text).Validate(), &e, text)
		assert.Equal(t, key, e.Key)
	}
}

func TestSameFilesystem(t *testing.T) {
	assert.True(t, mustParse(t, "popen//python=123").SameFilesystem())
	for _, text := range []string{"popen//chdir=hello", "ssh=host", "docker=box", "kubectl=web", "popen//via=gw1", "socket=host:1"} {
		assert.False(t, mustParse(t, text).SameFilesystem(), text)
	}
}

func TestValidate(t *testing.T) {
	for text, kind := range map[string]string{
		"popen": xspec.KindPopen, "popen//via=gw0//python=x": xspec.KindPopen, "ssh=h//ssh_config=f//sshclient=openssh": xspec.KindSSH,
		"vagrant_ssh=box//ssh_config=f": xspec.KindVagrantSSH, "socket=h:1": xspec.KindSocket, "socket//installvia=g": xspec.KindSocket, "socket=h:1//via=g": xspec.KindSocket,
		"docker=box//python=python3//chdir=/x//env:A=b": xspec.KindDocker, "podman=box//self": xspec.KindPodman, "docker=box//via=gw0": xspec.KindDocker,
		"kubectl=deploy/web//namespace=n//container=c//context=d": xspec.KindKubectl,
		"popen//chdir=./~/x": xspec.KindPopen, "popen//chdir=~x": xspec.KindPopen,
		"ssh=h//popen=false//via=b//bootstrap=import//execmodel=main_thread_only//anything=1": xspec.KindSSH,
	} {
		s := mustParse(t, text)
		assert.NoError(t, s.Validate(), text)
		assert.Equal(t, kind, s.Kind(), text)
	}
	for _, test := range []struct{ text, key, says string }{
		{"id=x", "", "no gateway type found"},
		{"popen=0", "", "no gateway type found"},
		{"installvia=gw", "", "no gateway type found"},
		{"popen//ssh=h", "", "popen, ssh"},
		{"socket=h:1//vagrant_ssh=h", "", "vagrant_ssh, socket"},
		{"docker=box//podman=box", "", "docker, podman"},
		{"popen//docker=box", "", "popen, docker"},
		{"docker=--privileged", "docker", `"--privileged" begins with "-", and would be an option of the command docker`},
		{"podman=-i", "podman", "write the name alone"},
		{"kubectl=--kubeconfig=/tmp/x", "kubectl", "option of the command kubectl"},
		{"kubectl=web//namespace=-x", "namespace", "option"},
		{"kubectl=web//container=-x", "container", "option"},
		{"kubectl=web//context=-x", "context", "option"},
		{"docker=box//namespace=x", "namespace", "kubectl only"},
		{"ssh=h//container=x", "container", "kubectl only"},
		{"popen//context=x", "context", "kubectl only"},
		{"docker=box//ssh_config=f", "ssh_config", "ssh"},
		{"docker=box//tls", "tls", "socket=HOST:PORT only"},
		{"socket//installvia=gw1//via=gw0", "via", "popen//via=gw0"},
		{"socket", "socket", "HOST:PORT"},
		{"socket=h:1//installvia=gw0", "installvia", "address"},
		{"socket=h:1//python=python3", "python", "interpreter of its own"},
		{"popen//installvia=gw0", "installvia", "via=gw0"},
		{"popen//ssh_config=f", "ssh_config", "ssh"},
		{"popen//sshclient=openssh", "sshclient", "ssh"},
		{"ssh=h//sshclient=putty", "sshclient", "putty"},
		{"socket=h:1//dont_write_bytecode", "dont_write_bytecode", "runs already"},
		{"popen//chdir=~/x", "chdir", `"./~/x" for a folder of that name`},
		{"ssh=h//chdir=~", "chdir", "write the whole path"},
		{"popen//execmodel=fork", "execmodel", "thread, main_thread_only, eventlet, gevent"},
		{"popen//bootstrap=exec", "bootstrap", "bootstrap=import"},
		{"popen//python=/usr//bin/python", "bin/python", "single slashes"},
	} {
		err := mustParse(t, test.text).Validate()
		var e *xspec.Error
		if assert.True(t, errors.As(err, &e), test.text) {
			assert.Equal(t, test.key, e.Key, test.text)
			assert.ErrorContains(t, err, test.says)
		}
	}
	assert.Empty(t, mustParse(t, "id=x").Kind())
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"popen", "ssh=-p 5000 myhost//env:A=1", "socket//installvia=x", "a//b=c==//_x", "//", "=", "popen//nice=1//nice", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := xspec.Parse(text)
		if err != nil {
			var e *xspec.Error
			if !errors.As(err, &e) || e.Spec != text || e.Problem == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		if s.String() != text {
			t.Fatalf("%q became %q", text, s.String())
		}
		if s.Validate() == nil && s.Kind() == "" {
			t.Fatalf("%q is valid and of no kind", text)
		}
		if again, err := xspec.Parse(s.Clone().String()); err != nil || !assert.ObjectsAreEqual(s, again) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
