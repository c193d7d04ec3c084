package native

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/pyparts"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/serializer"
)

// installedPython is a command of the interpreter that has pip's execnet; EXECNET_TEST_EXECNET_DIR
// puts another release in front.
func installedPython(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(pythons.WithExecnet(t), args...)
	cmd.Env = os.Environ()
	if dir := os.Getenv("EXECNET_TEST_EXECNET_DIR"); dir != "" {
		cmd.Env = append(cmd.Env, "PYTHONPATH="+dir)
	}
	return cmd
}

// sentPrograms has the drivers' own code send its programs to nowhere, and prints them.
const sentPrograms = `
import json, sys
from execnet import gateway, gateway_base, gateway_bootstrap, gateway_io, multi, rsync_remote
from execnet.script import socketserver

class Channel:
    def send(self, item): pass
    def waitclose(self): pass

class Nowhere:
    def __init__(self): self.sent = []
    def newchannel(self):
        channel = Channel()
        channel.id = 1
        return channel
    def _send(self, code, channel, data): self.sent.append(gateway_base.loads_internal(data))
    def remote_exec(self, source): return gateway.Gateway.remote_exec(self, source)

nowhere = Nowhere()
gateway_bootstrap.bootstrap = lambda io, spec: nowhere
gateway_io.create_io = lambda spec, execmodel: None
group = multi.Group()
group._register = lambda gw: None
group.makegateway("popen//chdir=x//nice=1")
names = ["set-up"]
for name, program in [
    ("rinfo", gateway.rinfo_source), ("proxy", gateway_io), ("socketserver", socketserver), ("rsync", rsync_remote),
]:
    nowhere.remote_exec(program)
    names.append(name)
json.dump(dict(zip(names, nowhere.sent)), sys.stdout)
`

// referencePrograms are what the installed release of execnet executes.
func referencePrograms(t *testing.T) map[string]gatewaybase.Program {
	t.Helper()
	out, err := installedPython(t, "-c", sentPrograms).Output()
	require.NoError(t, err)
	var sent map[string][4]any
	require.NoError(t, json.Unmarshal(out, &sent))
	programs := map[string]gatewaybase.Program{}
	for name, parts := range sent {
		p := gatewaybase.Program{Kwargs: serializer.NewDict()}
		p.Source, _ = parts[0].(string)
		p.File, _ = parts[1].(string)
		p.Call, _ = parts[2].(string)
		programs[name] = p
	}
	require.Len(t, programs, 5)
	return programs
}

func TestRecognisesTheReference(t *testing.T) {
	var n Natives
	for name, p := range referencePrograms(t) {
		_, ok := n.Find(p)
		assert.True(t, ok, name)
		p.File = strings.ReplaceAll(p.File, "/", `\`)
		_, ok = n.Find(p)
		assert.True(t, ok, "%s from Windows", name)
	}
}

// ourPrograms are what this module's drivers execute; TestRInfo is about the one that has no file.
func ourPrograms(t *testing.T) map[string]gatewaybase.Program {
	t.Helper()
	programs := map[string]gatewaybase.Program{}
	for path, as := range map[string]*moduleProgram{
		"gateway_io/forwarder.py": forwardConnection, "gateway_io/socketserver.py": socketServer, "rsync/remote": rsyncRemote,
	} {
		var source string
		if filepath.Ext(path) == "" {
			source = pyparts.Join(os.DirFS(pythons.Root()), path)
		} else {
			text, err := os.ReadFile(filepath.Join(pythons.Root(), path))
			require.NoError(t, err)
			source = string(text)
		}
		programs[path] = gatewaybase.Program{Source: source, File: as.file, Call: as.call, Kwargs: serializer.NewDict()}
	}
	return programs
}

func TestRecognisesThisModule(t *testing.T) {
	var n Natives
	for name, p := range ourPrograms(t) {
		_, ok := n.Find(p)
		assert.True(t, ok, name)
		for what, near := range map[string]func(*gatewaybase.Program){
			"another file":          func(p *gatewaybase.Program) { p.File = "/home/me/program.py" },
			"another function":      func(p *gatewaybase.Program) { p.Call = "main" },
			"the first two thirds":  func(p *gatewaybase.Program) { p.Source = p.Source[:len(p.Source)*2/3] },
			"definitions elsewhere": func(p *gatewaybase.Program) { p.Source = strings.ReplaceAll(p.Source, "\n", "\n ") },
		} {
			other := p
			near(&other)
			_, ok := n.Find(other)
			assert.False(t, ok, "%s: %s", name, what)
		}
	}
}

func TestRecognisesNearMissesAsOthers(t *testing.T) {
	for name, p := range referencePrograms(t) {
		var n Natives
		refused := func(p gatewaybase.Program, why string) {
			_, ok := n.Find(p)
			assert.False(t, ok, "%s: %s", name, why)
		}
		other := p
		other.Call = "main"
		refused(other, "another function is called")
		other = p
		other.Source = ""
		refused(other, "no source")
		other.Source = "def rinfo_source(channel): pass\ndef serve_proxy_io(channel): pass\ndef serve_rsync(channel): pass\n"
		refused(other, "the name alone")
		other.Source = strings.Replace(p.Source, "channel", "stream", -1)
		refused(other, "another name for the channel")
		other.Source = p.Source[:len(p.Source)*2/3]
		refused(other, "the first two thirds")
		if p.File != "" && p.Call == "" {
			other = p
			other.File = "/home/me/program.py"
			refused(other, "another file")
		} else {
			other = p
			other.Source += "\n    print(path)\n"
			refused(other, "something more")
			other.Kwargs = serializer.NewDict("n", int64(1))
			other.Source = p.Source
			refused(other, "keyword arguments")
		}
	}
}

func TestRecognisesNoUserPrograms(t *testing.T) {
	words := []string{"import", "os", ",", "sys", "\n", "\n    ", "channel", ".", "send", "receive", "(", ")", "path", "nice", "env", "=",
		"if", "mkdir", "chdir", "environ", "def", "class", "rinfo_source", "serve_proxy_io", "serve_rsync", "__channelexec__", ":",
		"executable", "version_info", "platform", "getcwd", "getpid", "x", "while", "True", "1", "forward", "Forwarder", "startserver"}
	files := []string{"", "gateway.py", "gateway_io.py", "socketserver.py", "rsync_remote.py", "<execnet forwarder>", "<execnet socketserver>"}
	calls := []string{"", "rinfo_source", "forward_process", "forward_connection"}
	rapid.Check(t, func(t *rapid.T) {
		p := gatewaybase.Program{
			Source: strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 200).Draw(t, "words"), " "),
			File:   rapid.SampledFrom(files).Draw(t, "file"),
			Call:   rapid.SampledFrom(calls).Draw(t, "call"),
			Kwargs: serializer.NewDict(),
		}
		var n Natives
		_, ok := n.Find(p)
		assert.False(t, ok)
	})
}
