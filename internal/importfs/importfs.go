// Package importfs lets the far end of a gateway import the Python modules of a Go fs.FS.
//
// A finder in the far end (finder/) asks over a channel of its own for files and for the names in
// folders; this package answers. With a module it sends along what that module imports.
package importfs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/pyparts"
	"github.com/go-execnet/execnet/serializer"
)

//go:embed finder/*.py
var finderParts embed.FS

// finder is the source of the far end's half, which is kept in parts.
var finder = sync.OnceValue(func() string { return pyparts.Join(finderParts, "finder") })

var digest = sync.OnceValue(func() string { return fmt.Sprintf("%.16x", sha256.Sum256([]byte(finder()))) })

// source makes a module of the finder in the far end, unless it has one from another gateway. Its
// name ends with a digest of it, since drivers of different versions may use one process.
const source = `
def install(channel, source, digest, id, names):
    import sys
    if not hasattr(sys, "meta_path"):
        raise ImportError("gpython imports nothing from the driver; with a CPython beside it (engine=cpython, or engine=auto where there is one) this Go worker can")
    name = "_execnet_importfs_" + str(digest)
    module = sys.modules.get(name)
    if module is None:
        module = type(sys)(name)
        exec(compile(source, "execnet/importfs.py", "exec", 0, True), module.__dict__)
        module = sys.modules.setdefault(name, module)
    module.install(channel, id, names)
`

// Install makes the modules of fsys importable at the far end of gw. It returns when they are; from
// then on a goroutine of gw answers the far end.
func Install(ctx context.Context, gw *gatewaybase.Gateway, fsys fs.FS) error {
	err := install(ctx, gw, fsys)
	if err != nil {
		return errtext.Wrap("cannot let gateway "+gw.ID()+" import the driver's modules", err)
	}
	return nil
}

func install(ctx context.Context, gw *gatewaybase.Gateway, fsys fs.FS) error {
	names, err := list(fsys, ".")
	if err != nil {
		return err
	}
	ch, err := gw.RemoteExec(ctx, source, gatewaybase.File("execnet/importfs.py", 1), gatewaybase.Call("install",
		map[string]any{"source": finder(), "digest": digest(), "id": identify(fsys), "names": names}))
	if err != nil {
		return err
	}
	item, err := ch.Receive(ctx)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return errors.Join(err, ch.Close())
	}
	s := &server{gw: gw, fsys: fsys, sent: map[string][sha256.Size]byte{}, listed: map[string]bool{".": true}, asked: map[string]int{}}
	control, ok := s.begin(item)
	if !ok {
		return errors.Join(fmt.Errorf("its first answer is %s", serializer.Repr(item)), ch.Close())
	}
	if err := gatewaybase.SetRareCallback(control, s.serve); err != nil {
		return err
	}
	return ch.WaitClose(ctx)
}

// identities has a name for each fs.FS that was used, by which a process with several gateways
// recognises it.
var identities struct {
	sync.Mutex
	program string
	count   int
	known   map[any]string
}

// identify returns the name of fsys. What cannot be compared has a new name each time.
func identify(fsys fs.FS) string {
	ids := &identities
	ids.Lock()
	defer ids.Unlock()
	comparable := reflect.ValueOf(fsys).Comparable()
	if comparable {
		if id, ok := ids.known[fsys]; ok {
			return id
		}
	}
	if ids.known == nil {
		ids.program, ids.known = rand.Text(), map[any]string{}
	}
	ids.count++
	id := fmt.Sprintf("%s-%d", ids.program, ids.count)
	if comparable && len(ids.known) < mostKnown {
		ids.known[fsys] = id
	}
	return id
}

// mostKnown bounds identities: a program may make any number of them.
const mostKnown = 1000
