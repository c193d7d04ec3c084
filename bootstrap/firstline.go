package bootstrap

import (
	"bytes"
	"compress/zlib"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/xspec"
)

//go:embed worker.py
var workerSource string

// firstWords are what the interpreter reads first: a line with Python source as one string literal, which it evaluates and
// executes, and possibly another that the first reads. A worker of ours in a process of its own takes the messages of
// ahead as the first that it gets; for others ahead is not to be given.
func firstWords(spec *xspec.Spec, ahead []byte) [][]byte {
	switch {
	case spec.Kind() == xspec.KindSocket && spec.Bootstrap == "import":
		return [][]byte{line(importSocketSource(spec))}
	case spec.Kind() == xspec.KindSocket:
		return [][]byte{line(sentSocketSource(spec))}
	case spec.Bootstrap == "import":
		return [][]byte{line(importSource(spec))}
	}
	if sharesFiles(spec) {
		if dir, err := workerFolder(); err == nil {
			return [][]byte{line(cachedSource(dir, spec, ahead)), workerLine()}
		}
	}
	return [][]byte{line(sentSource(spec, ahead))}
}

func line(source string) []byte { return append([]byte(pyString(source)), '\n') }

var workerLine = sync.OnceValue(func() []byte { return line(packedWorker()) })

// packedWorker is Python source that executes the worker's, in a third of its size: what goes over a network should fit
// into few packets.
var packedWorker = sync.OnceValue(func() string {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, err := w.Write([]byte(workerSource))
	if err = errors.Join(err, w.Close()); err != nil {
		panic("writing to memory failed: " + err.Error())
	}
	return `import base64, zlib
exec(zlib.decompress(base64.b64decode("` + base64.StdEncoding.EncodeToString(packed.Bytes()) + `")))
`
})

// importSource starts the worker of the execnet package that is installed there, whatever its release.
func importSource(spec *xspec.Spec) string {
	return fmt.Sprintf(`import os, sys
from execnet import gateway_base
%ssys.stdout.write("1")
sys.stdout.flush()
gateway_base.serve(gateway_base.init_popen_io(gateway_base.get_execmodel(%s)), id=%s)
`, setUpLines(spec), pyString(execModel(spec)), pyString(workerID(spec)))
}

// importSocketSource is importSource for a socket server, which has left a connection in the name clientsock and its own
// execution model in the name execmodel. The latter counts unless the spec names another.
func importSocketSource(spec *xspec.Spec) string {
	model := "execmodel"
	if spec.ExecModel != "" {
		model = "gateway_base.get_execmodel(" + pyString(spec.ExecModel) + ")"
	}
	return socketSetUp(spec) + fmt.Sprintf(`from execnet import gateway_base
from execnet.gateway_socket import SocketIO
io = SocketIO(clientsock, %s)
io.write(b"1")
gateway_base.serve(io, id=%s)
`, model, pyString(workerID(spec)))
}

// sentSocketSource carries the whole worker to a socket server.
func sentSocketSource(spec *xspec.Spec) string {
	model := "execmodel.backend"
	if spec.ExecModel != "" {
		model = pyString(spec.ExecModel)
	}
	return socketSetUp(spec) + fmt.Sprintf("%sserve_socket(clientsock, %s, %s)\n", packedWorker(), pyString(workerID(spec)), model)
}

// sentSource carries the whole worker.
func sentSource(spec *xspec.Spec, ahead []byte) string {
	return packedWorker() + serveCall(spec, ahead) + "\n"
}

// cachedSource has the interpreter import the worker from a folder of this user's, where it keeps the compiled form
// beside it as with any module: compiling takes longer than all the rest of a start. An interpreter that cannot read the
// folder (it runs in a container, or as another user) executes the source instead, which is a line of its own behind this
// one, so that it costs the others next to nothing. PYTHONDONTWRITEBYTECODE keeps folders of sources tidy, which this one
// is not; the spec's dont_write_bytecode is obeyed (see sharesFiles).
func cachedSource(dir string, spec *xspec.Spec, ahead []byte) string {
	return fmt.Sprintf(`import os, struct, sys, time
source = sys.stdin.readline()
keep = sys.dont_write_bytecode
sys.dont_write_bytecode = False
sys.path.insert(0, %[1]s)
try:
    from %[2]s import *
except ImportError:
    exec(eval(source))
finally:
    sys.path.remove(%[1]s)
    sys.dont_write_bytecode = keep
%[3]s
`, pyString(dir), workerModule, serveCall(spec, ahead))
}

// setUpLines do what worker.py does by itself when it is given a process of its own: the spec's env, nice and chdir.
func setUpLines(spec *xspec.Spec) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		fmt.Fprintf(&b, "os.environ[%s] = %s\n", pyString(name), pyString(spec.Env[name]))
	}
	if spec.Nice != 0 {
		fmt.Fprintf(&b, "getattr(os, 'nice', int)(%d)\n", spec.Nice)
	}
	if spec.ChDir != "" {
		fmt.Fprintf(&b, "os.path.isdir(%[1]s) or os.makedirs(%[1]s)\nos.chdir(%[1]s)\n", pyString(spec.ChDir))
	}
	return b.String()
}

// socketSetUp is setUpLines for a socket server, whose stderr nobody here sees: an exception goes over the connection.
func socketSetUp(spec *xspec.Spec) string {
	lines := setUpLines(spec)
	if lines == "" {
		return ""
	}
	return fmt.Sprintf(`import os
try:
    exec(%s)
except Exception:
    import traceback
    clientsock.sendall(traceback.format_exc().encode("utf-8"))
    clientsock.close()
    raise
`, pyString(lines))
}

func serveCall(spec *xspec.Spec, ahead []byte) string {
	var setUp []string
	if spec.ChDir != "" {
		setUp = append(setUp, `"chdir": `+pyString(spec.ChDir))
	}
	if spec.Nice != 0 {
		setUp = append(setUp, `"nice": `+strconv.Itoa(spec.Nice))
	}
	if len(spec.Env) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
			pairs = append(pairs, pyString(name)+": "+pyString(spec.Env[name]))
		}
		setUp = append(setUp, `"env": {`+strings.Join(pairs, ", ")+`}`)
	}
	if len(ahead) > 0 {
		setUp = append(setUp, `"ahead": `+pyBytes(ahead))
	}
	return fmt.Sprintf("serve_popen(%s, %s, {%s})", pyString(workerID(spec)), pyString(execModel(spec)), strings.Join(setUp, ", "))
}

func workerID(spec *xspec.Spec) string { return spec.ID + "-worker" }

func execModel(spec *xspec.Spec) string {
	if spec.ExecModel == "" {
		return "thread"
	}
	return spec.ExecModel
}

// pyString is s as a Python literal that means the same text in Python 2.7 and 3, in ASCII and on one line. Python 2
// reads it as str if it is ASCII, as Python 2 programs expect of names and paths, and as unicode otherwise.
func pyString(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 3)
	ascii := true
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			ascii = false
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			ascii = false
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	if ascii {
		return b.String()
	}
	return "u" + b.String()
}

// pyBytes is p as a Python literal of type bytes (str in Python 2), in ASCII and on one line.
func pyBytes(p []byte) string {
	var b strings.Builder
	b.Grow(2*len(p) + 3)
	b.WriteString(`b"`)
	for _, c := range p {
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
