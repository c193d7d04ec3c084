package native

import (
	"regexp"
	"slices"
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// recogniser tells whether a program is the one it stands for.
type recogniser interface {
	recognises(p gatewaybase.Program) bool
}

// shortProgram recognises a program by its words: the text begins with certain words, has all of
// others, and no words beside them. What stands between the words may differ from release to
// release.
type shortProgram struct {
	call   string // the function that is called, if any
	begins string // the first words
	needs  string // further words that have to occur
	may    string // words that may occur beside them
}

// shortLimit is more bytes than a short program has. Empty lines before it, which stand for the
// part of its file above it, do not count.
const shortLimit = 1024

var word = regexp.MustCompile(`\w+`)

func (s *shortProgram) recognises(p gatewaybase.Program) bool {
	if p.Call != s.call || p.Kwargs != nil && p.Kwargs.Len() > 0 {
		return false
	}
	source := strings.TrimSpace(p.Source)
	if len(source) > shortLimit {
		return false
	}
	begins := strings.Fields(s.begins)
	if !slices.Equal(word.FindAllString(source, len(begins)), begins) {
		return false
	}
	words := word.FindAllString(source, -1)
	needed := strings.Fields(s.needs)
	allowed := slices.Concat(begins, needed, strings.Fields(s.may))
	for _, w := range needed {
		if !slices.Contains(words, w) {
			return false
		}
	}
	return !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(allowed, w) })
}

// namedProgram recognises a program by its file's name and its whole text.
type namedProgram struct{ file, source string }

func (n *namedProgram) recognises(p gatewaybase.Program) bool {
	return p.Call == "" && p.File == n.file && strings.TrimSpace(p.Source) == n.source
}

// moduleProgram recognises a module by its file's name and by what it defines at its top.
type moduleProgram struct {
	file    string   // the file's name, or the last part of it
	call    string   // the function that is called, if any
	defines []string // "def name" or "class name"
	has     []string // further words of the text
	// runs is, for a module without call, the function that it calls itself when its __name__ says
	// that a worker executes it.
	runs string
}

func (m *moduleProgram) recognises(p gatewaybase.Program) bool {
	if p.Call != m.call || p.File != m.file && p.File[strings.LastIndexAny(p.File, `/\`)+1:] != m.file {
		return false
	}
	if m.runs != "" {
		_, tail, found := cutLast(p.Source, "__channelexec__")
		if !found || !strings.Contains(tail, "\n    "+m.runs+"(") {
			return false
		}
	}
	if slices.ContainsFunc(m.has, func(word string) bool { return !strings.Contains(p.Source, word) }) {
		return false
	}
	return !slices.ContainsFunc(m.defines, func(line string) bool { return !definesAtTop(p.Source, line) })
}

// definesAtTop tells whether a line of source begins with a definition of exactly this name.
func definesAtTop(source, definition string) bool {
	for {
		_, after, found := strings.Cut(source, "\n"+definition)
		if !found {
			return false
		}
		if after != "" && (after[0] == '(' || after[0] == ':') {
			return true
		}
		source = after
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

var (
	// rinfoFunction is the function rinfo_source of execnet's gateway module; rinfoText is
	// gateway_base/rinfo.go's.
	rinfoFunction = &shortProgram{
		call: "rinfo_source", begins: "def rinfo_source channel",
		needs: "import os sys send executable version_info platform cwd getcwd pid getpid",
		may:   "None dict tuple 5",
	}
	rinfoText = &shortProgram{
		begins: "import os sys channel send",
		needs:  "executable version_info platform cwd getcwd pid getpid",
		may:    "dict tuple 5",
	}
	// engineText is what the command "execnet info" executes after that.
	engineText = &namedProgram{file: "<execnet engine>", source: "channel.send(None)"}
	// setUpText is what execnet's Group.makegateway executes for chdir, nice and env.
	setUpText = &shortProgram{
		begins: "import os path nice env channel receive",
		needs:  "if mkdir chdir environ",
		may:    "not exists and hasattr for name value in items None",
	}
	// argvText is what the command "execnet exec" executes before a source that gets arguments.
	argvText = &shortProgram{
		begins: "import sys argv channel receive",
		needs:  "str bytes encode utf 8",
		may:    "if else is not for arg in",
	}
	// proxyModule is execnet's gateway_io; forwardProcess, forwardSelf and forwardConnection
	// are gateway_io/forwarder.py.
	proxyModule = &moduleProgram{
		file: "gateway_io.py", runs: "serve_proxy_io",
		defines: []string{"class Popen2IOMaster", "def popen_args", "def create_io", "class ProxyIO", "class PseudoSpec", "def serve_proxy_io"},
	}
	forwardProcess    = forwarderCalled("forward_process")
	forwardSelf       = forwarderCalled("forward_self")
	forwardConnection = forwarderCalled("forward_connection")
	// socketModule is execnet's script.socketserver; socketServer is gateway_io/socketserver.py.
	socketModule = &moduleProgram{
		file: "socketserver.py", runs: "startserver",
		defines: []string{"def exec_from_one_connection", "def bind_and_listen", "def startserver"},
	}
	socketServer = &moduleProgram{
		file: "<execnet socketserver>", runs: "serve_one",
		defines: []string{"def listen", "def accept", "def read_line", "def serve_one"},
	}
	// rsyncModule is execnet's rsync_remote; rsyncRemote is what stands in rsync/remote/.
	rsyncModule = &moduleProgram{
		file: "rsync_remote.py", runs: "serve_rsync",
		defines: []string{"def serve_rsync"},
		has:     []string{"def receive_directory_structure(", "list_done", "linkbase"},
	}
	rsyncRemote = &moduleProgram{
		file: wire.RemoteFile, call: wire.RemoteFunction,
		defines: []string{"def serve"},
	}
)

func forwarderCalled(call string) *moduleProgram {
	return &moduleProgram{
		file: "<execnet forwarder>", call: call,
		defines: []string{"class Process", "class Connection", "class Forwarder", "def forward", "def forward_process", "def forward_connection"},
	}
}
