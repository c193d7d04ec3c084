package bootstrap

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/xspec"
)

// more is what a worker is told beside its spec.
type more struct {
	ahead  []byte // messages that it takes as the first ones
	behind *Behind
	output int // what it shall send of its output, a sum of gatewaybase.Stdout and so on
}

// firstLines are the first line that the interpreter reads, and for some specs a second one. The
// interpreter evaluates the first line, a string literal, and executes the Python source in it,
// which may read the second line. Only a worker of this module is told m, and one behind a socket
// server only m.output, so for others it must be empty. A Go program that is started again (self)
// gets only the call, since it is no Python.
//
// Each of these lines contains token, but not the answer itself, which is "1" and the token: an
// echo of the line is no answer.
//
// Accept recognises all of these lines by the formats below, in which %s stands for a literal and
// %d for a number.
func firstLines(spec *xspec.Spec, token string, m more) [][]byte {
	switch {
	case spec.Self:
		return [][]byte{line(serveCall(spec, token, m))}
	case spec.Kind() == xspec.KindSocket && spec.Bootstrap == "import":
		return [][]byte{line(importSocketSource(spec, token))}
	case spec.Kind() == xspec.KindSocket:
		return [][]byte{line(sentSocketSource(spec, token, m))}
	case spec.Bootstrap == "import":
		return [][]byte{line(importSource(spec, token))}
	}
	if pycache.Shared(spec) {
		if dir, err := workerFolder(); err == nil {
			return [][]byte{line(cachedSource(dir, spec, token, m)), workerLine()}
		}
	}
	return [][]byte{line(sentSource(spec, token, m))}
}

func line(source string) []byte { return append([]byte(pystring.ASCII(source)), '\n') }

// Prepare makes what each of the first lines needs, which otherwise the first of them does.
func Prepare() { workerLine() }

var workerLine = sync.OnceValue(func() []byte { return line(packedWorker()) })

// The imports are extension modules: a file in the user's folder may have the name of a module of
// the standard library, such as base64 or struct, and that folder is searched first.
const packedFormat = `import binascii, zlib
exec(zlib.decompress(binascii.a2b_base64(%s)))
`

// packedWorker is Python source that executes the worker's source. It is compressed to a third of
// the size, so that it travels over a network in few packets.
var packedWorker = sync.OnceValue(func() string {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, err := w.Write([]byte(workerSource()))
	if err = errors.Join(err, w.Close()); err != nil {
		panic("writing to memory failed: " + err.Error())
	}
	return fmt.Sprintf(packedFormat, pystring.ASCII(base64.StdEncoding.EncodeToString(packed.Bytes())))
})

// importNeeds is a Python expression: what an interpreter without a usable execnet package says.
const importNeeds = `("bootstrap=import serves with the execnet package (release 1.9, 2.0 or 2.1) of " + str(sys.executable) +
             ", which does not work: " + sys.exc_info()[0].__name__ + ": " + str(sys.exc_info()[1]))`

const (
	importFormat = `import os, sys
try:
    from execnet.gateway_base import get_execmodel, init_popen_io, serve
except Exception:
    sys.exit` + importNeeds + `
`
	importServeFormat = `io = init_popen_io(get_execmodel(%s))
io.write(("1" + %s).encode("ascii"))
serve(io, id=%s)
`
)

// importSource starts the worker of the execnet package that is installed there, whatever its
// release. It answers when the package is imported and its pipe made: nothing that the package
// needs can be missing then.
func importSource(spec *xspec.Spec, token string) string {
	return importFormat + setUpLines(spec) +
		fmt.Sprintf(importServeFormat, pystring.ASCII(execModel(spec)), pystring.ASCII(token), pystring.ASCII(workerID(spec)))
}

// A socket server provides a connection in the variable clientsock and its own execution model in
// the variable execmodel. The latter is used unless the spec names another.
const (
	importSocketFormat = `try:
    from execnet.gateway_base import get_execmodel, serve
    from execnet.gateway_socket import SocketIO
    io = SocketIO(clientsock, `
	theirModel              = "execmodel"
	modelFormat             = "get_execmodel(%s)"
	importSocketServeFormat = `)
except Exception:
    import sys
    clientsock.sendall(` + importNeeds + `.encode("utf-8"))
    clientsock.close()
    raise
io.write(("1" + %s).encode("ascii"))
serve(io, id=%s)
`
)

// importSocketSource is importSource for a socket server. Nobody here sees the stderr of that, so
// what goes wrong is sent over the connection.
func importSocketSource(spec *xspec.Spec, token string) string {
	model := theirModel
	if spec.ExecModel != "" {
		model = fmt.Sprintf(modelFormat, pystring.ASCII(spec.ExecModel))
	}
	return socketSetUp(spec) + importSocketFormat + model +
		fmt.Sprintf(importSocketServeFormat, pystring.ASCII(token), pystring.ASCII(workerID(spec)))
}

const (
	serveSocketFormat = "serve_socket(clientsock, %s, "
	theirModelName    = "execmodel.backend"
	serveSocketSetUp  = ", {\"answer\": %s, " + errorsItem
	serveSocketEnd    = "})\n"
	// engineItem is for Go workers only.
	engineItem = `"engine": %s`
	// errorsItem asks for errors with their class, which this module's drivers understand.
	errorsItem = `"errors": 1`
	// outputItem asks for what the worker prints.
	outputItem = `"output": %d`
)

// sentSocketSource carries the whole worker to a socket server.
func sentSocketSource(spec *xspec.Spec, token string, m more) string {
	model := theirModelName
	if spec.ExecModel != "" {
		model = pystring.ASCII(spec.ExecModel)
	}
	items := ""
	if spec.Engine != "" {
		items = ", " + fmt.Sprintf(engineItem, pystring.ASCII(spec.Engine))
	}
	if m.output != 0 {
		items += ", " + fmt.Sprintf(outputItem, m.output)
	}
	return socketSetUp(spec) + packedWorker() + fmt.Sprintf(serveSocketFormat, pystring.ASCII(workerID(spec))) + model +
		fmt.Sprintf(serveSocketSetUp, pystring.ASCII(token)) + items + serveSocketEnd
}

// sentSource carries the whole worker.
func sentSource(spec *xspec.Spec, token string, m more) string {
	return packedWorker() + serveCall(spec, token, m) + "\n"
}

const cachedFormat = pycache.Load + `
line = sys.stdin.readline()
serve_popen = load(%s, "` + workerModule + `", lambda: eval(line), "serve_popen")
`

// cachedSource makes the interpreter import the worker from a folder of this user: compiling it
// takes longer than all the rest of a start, and Python keeps the compiled form there. An
// interpreter that cannot import it (it runs in a container, or as another user) executes the
// source instead. The source is the second line, which other interpreters read and do not evaluate.
func cachedSource(dir string, spec *xspec.Spec, token string, m more) string {
	return fmt.Sprintf(cachedFormat, pystring.ASCII(dir)) + serveCall(spec, token, m) + "\n"
}

const (
	envFormat  = "os.environ[%s] = %s\n"
	niceFormat = "getattr(os, 'nice', int)(%d)\n"
	// Another worker may make the folder at the same time.
	chDirFormat = `for folder in [%s]:
    try:
        os.path.isdir(folder) or os.makedirs(folder)
    except OSError:
        if not os.path.isdir(folder):
            raise
    os.chdir(folder)
`
)

// setUpLines apply the spec's env, nice and chdir, which the Python worker does by itself in a
// process of its own.
func setUpLines(spec *xspec.Spec) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		fmt.Fprintf(&b, envFormat, pystring.ASCII(name), pystring.ASCII(spec.Env[name]))
	}
	if spec.Nice != 0 {
		fmt.Fprintf(&b, niceFormat, spec.Nice)
	}
	if spec.ChDir != "" {
		fmt.Fprintf(&b, chDirFormat, pystring.ASCII(spec.ChDir))
	}
	return b.String()
}

const socketSetUpFormat = `import os, sys
try:
    exec(%s)
except Exception:
    clientsock.sendall(repr(sys.exc_info()[1]).encode("utf-8"))
    clientsock.close()
    raise
`

// socketSetUp is setUpLines for a socket server. Nobody here sees the stderr of that, so an
// exception is sent over the connection.
func socketSetUp(spec *xspec.Spec) string {
	if lines := setUpLines(spec); lines != "" {
		return fmt.Sprintf(socketSetUpFormat, pystring.ASCII(lines))
	}
	return ""
}

const serveFormat = "serve_popen(%s, %s, {"

func serveCall(spec *xspec.Spec, token string, m more) string {
	setUp := []string{`"answer": ` + pystring.ASCII(token)}
	if m.behind == nil || m.behind.DescribeErrors {
		setUp = append(setUp, errorsItem)
	}
	if spec.Engine != "" {
		setUp = append(setUp, fmt.Sprintf(engineItem, pystring.ASCII(spec.Engine)))
	}
	if m.output != 0 {
		setUp = append(setUp, fmt.Sprintf(outputItem, m.output))
	}
	if spec.ChDir != "" {
		setUp = append(setUp, `"chdir": `+pystring.ASCII(spec.ChDir))
	}
	if spec.Nice != 0 {
		setUp = append(setUp, `"nice": `+strconv.Itoa(spec.Nice))
	}
	if len(spec.Env) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
			pairs = append(pairs, pystring.ASCII(name)+": "+pystring.ASCII(spec.Env[name]))
		}
		setUp = append(setUp, `"env": {`+strings.Join(pairs, ", ")+`}`)
	}
	if m.behind != nil {
		setUp = append(setUp, `"first": `+strconv.Itoa(m.behind.FirstID), `"prepare": `+pystring.ASCII(m.behind.Prepare))
	}
	if len(m.ahead) > 0 {
		setUp = append(setUp, `"ahead": `+pystring.Bytes(m.ahead))
	}
	return fmt.Sprintf(serveFormat, pystring.ASCII(workerID(spec)), pystring.ASCII(execModel(spec))) + strings.Join(setUp, ", ") + "})"
}

func workerID(spec *xspec.Spec) string { return spec.ID + "-worker" }

func execModel(spec *xspec.Spec) string {
	if spec.ExecModel == "" {
		return "thread"
	}
	return spec.ExecModel
}
