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

	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/xspec"
)

//go:embed worker.py
var workerSource string

// workerModule is the worker's name as a Python module, and workerFolder the folder to import it
// from.
const workerModule = "execnet_go_worker"

var workerFolder = sync.OnceValues(func() (string, error) { return pycache.Put("worker", workerModule, workerSource) })

// firstLines are the first line that the interpreter reads, and for some specs a second one. The
// interpreter evaluates the first line, a string literal, and executes the Python source in it,
// which may read the second line. ahead holds messages that the worker takes as the first ones:
// only a worker of this module in a process of its own can, so for others ahead must be empty. A Go
// program that is started again (self) gets only the call, since it is no Python.
//
// Accept recognises all of these lines by the formats below, in which %s stands for a literal and
// %d for a number.
func firstLines(spec *xspec.Spec, ahead []byte) [][]byte {
	switch {
	case spec.Self:
		return [][]byte{line(serveCall(spec, ahead))}
	case spec.Kind() == xspec.KindSocket && spec.Bootstrap == "import":
		return [][]byte{line(importSocketSource(spec))}
	case spec.Kind() == xspec.KindSocket:
		return [][]byte{line(sentSocketSource(spec))}
	case spec.Bootstrap == "import":
		return [][]byte{line(importSource(spec))}
	}
	if pycache.Shared(spec) {
		if dir, err := workerFolder(); err == nil {
			return [][]byte{line(cachedSource(dir, spec, ahead)), workerLine()}
		}
	}
	return [][]byte{line(sentSource(spec, ahead))}
}

func line(source string) []byte { return append([]byte(pystring.ASCII(source)), '\n') }

var workerLine = sync.OnceValue(func() []byte { return line(packedWorker()) })

const packedFormat = `import base64, zlib
exec(zlib.decompress(base64.b64decode(%s)))
`

// packedWorker is Python source that executes the worker's source. It is compressed to a third of
// the size, so that it travels over a network in few packets.
var packedWorker = sync.OnceValue(func() string {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, err := w.Write([]byte(workerSource))
	if err = errors.Join(err, w.Close()); err != nil {
		panic("writing to memory failed: " + err.Error())
	}
	return fmt.Sprintf(packedFormat, pystring.ASCII(base64.StdEncoding.EncodeToString(packed.Bytes())))
})

const (
	importFormat = `import os, sys
from execnet import gateway_base
`
	importServeFormat = `sys.stdout.write("1")
sys.stdout.flush()
gateway_base.serve(gateway_base.init_popen_io(gateway_base.get_execmodel(%s)), id=%s)
`
)

// importSource starts the worker of the execnet package that is installed there, whatever its
// release.
func importSource(spec *xspec.Spec) string {
	return importFormat + setUpLines(spec) +
		fmt.Sprintf(importServeFormat, pystring.ASCII(execModel(spec)), pystring.ASCII(workerID(spec)))
}

// A socket server provides a connection in the variable clientsock and its own execution model in
// the variable execmodel. The latter is used unless the spec names another.
const (
	importSocketFormat = `from execnet import gateway_base
from execnet.gateway_socket import SocketIO
io = SocketIO(clientsock, `
	theirModel              = "execmodel"
	modelFormat             = "gateway_base.get_execmodel(%s)"
	importSocketServeFormat = `)
io.write(b"1")
gateway_base.serve(io, id=%s)
`
)

// importSocketSource is importSource for a socket server.
func importSocketSource(spec *xspec.Spec) string {
	model := theirModel
	if spec.ExecModel != "" {
		model = fmt.Sprintf(modelFormat, pystring.ASCII(spec.ExecModel))
	}
	return socketSetUp(spec) + importSocketFormat + model + fmt.Sprintf(importSocketServeFormat, pystring.ASCII(workerID(spec)))
}

const (
	serveSocketFormat = "serve_socket(clientsock, %s, "
	theirModelName    = "execmodel.backend"
	serveSocketEnd    = ")\n"
)

// sentSocketSource carries the whole worker to a socket server.
func sentSocketSource(spec *xspec.Spec) string {
	model := theirModelName
	if spec.ExecModel != "" {
		model = pystring.ASCII(spec.ExecModel)
	}
	return socketSetUp(spec) + packedWorker() + fmt.Sprintf(serveSocketFormat, pystring.ASCII(workerID(spec))) + model + serveSocketEnd
}

// sentSource carries the whole worker.
func sentSource(spec *xspec.Spec, ahead []byte) string {
	return packedWorker() + serveCall(spec, ahead) + "\n"
}

const cachedFormat = `import os, struct, sys, time
source = sys.stdin.readline()
keep = sys.dont_write_bytecode
sys.dont_write_bytecode = False
sys.path.insert(0, %s)
try:
    from ` + workerModule + ` import *
except Exception:
    for folder, _, names in os.walk(sys.path[0]):
        for name in names:
            if name.endswith(".pyc"):
                try:
                    os.remove(os.path.join(folder, name))
                except OSError:
                    pass
    exec(eval(source))
finally:
    sys.path.remove(%s)
    sys.dont_write_bytecode = keep
`

// cachedSource makes the interpreter import the worker from a folder of this user. Python keeps the
// compiled form there, as for any module, because compiling takes longer than all the rest of a
// start. An interpreter that cannot read the folder (it runs in a container, or as another user)
// executes the source instead. The source is the second line, so that it costs other interpreters
// next to nothing.
//
// A compiled form that a full disk has cut off raises any of several exceptions. It is removed, so
// that the next start makes another one.
//
// PYTHONDONTWRITEBYTECODE is overridden: it keeps folders of sources clean, and this is none. The
// spec's dont_write_bytecode is obeyed (see pycache.Shared).
func cachedSource(dir string, spec *xspec.Spec, ahead []byte) string {
	return fmt.Sprintf(cachedFormat, pystring.ASCII(dir), pystring.ASCII(dir)) + serveCall(spec, ahead) + "\n"
}

const (
	envFormat   = "os.environ[%s] = %s\n"
	niceFormat  = "getattr(os, 'nice', int)(%d)\n"
	chDirFormat = "os.path.isdir(%s) or os.makedirs(%s)\nos.chdir(%s)\n"
)

// setUpLines apply the spec's env, nice and chdir, which worker.py does by itself in a process of
// its own.
func setUpLines(spec *xspec.Spec) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		fmt.Fprintf(&b, envFormat, pystring.ASCII(name), pystring.ASCII(spec.Env[name]))
	}
	if spec.Nice != 0 {
		fmt.Fprintf(&b, niceFormat, spec.Nice)
	}
	if spec.ChDir != "" {
		dir := pystring.ASCII(spec.ChDir)
		fmt.Fprintf(&b, chDirFormat, dir, dir, dir)
	}
	return b.String()
}

const socketSetUpFormat = `import os
try:
    exec(%s)
except Exception:
    import traceback
    clientsock.sendall(traceback.format_exc().encode("utf-8"))
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

func serveCall(spec *xspec.Spec, ahead []byte) string {
	var setUp []string
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
	if len(ahead) > 0 {
		setUp = append(setUp, `"ahead": `+pystring.Bytes(ahead))
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
