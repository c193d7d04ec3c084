//go:build unix

package gatewayio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/forkserver"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/xspec"
)

// forkServers are an Opener's fork servers, by what distinguishes them.
type forkServers struct {
	mu      sync.Mutex // guards what follows
	servers map[string]*forkserver.Server
	refused map[string]bool      // those that do not fork, and of which that was said
	retired []*forkserver.Server // which fork no more, and last as long as their children
}

// get returns the server for a key, and starts it if there is none.
func (f *forkServers) get(key string, start func() (*forkserver.Server, error)) (*forkserver.Server, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if server := f.servers[key]; server != nil {
		return server, nil
	}
	server, err := start()
	if err != nil {
		return nil, err
	}
	if f.servers == nil {
		f.servers, f.refused = map[string]*forkserver.Server{}, map[string]bool{}
	}
	f.servers[key] = server
	return server, nil
}

// drop forgets a server that is of no use, so that the next gateway gets another one.
func (f *forkServers) drop(key string, server *forkserver.Server) {
	f.mu.Lock()
	if f.servers[key] == server {
		delete(f.servers, key)
	}
	f.mu.Unlock()
	server.Close()
}

// firstRefusal reports whether it is the first one for a key.
func (f *forkServers) firstRefusal(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused[key] || f.refused == nil {
		return false
	}
	f.refused[key] = true
	return true
}

// retire makes room for other servers. The present ones end when their last child has ended.
func (f *forkServers) retire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retired = slices.DeleteFunc(f.retired, (*forkserver.Server).Ended)
	for _, server := range f.servers {
		server.Retire()
		f.retired = append(f.retired, server)
	}
	f.servers, f.refused = nil, nil
}

// close ends all servers, and their children.
func (f *forkServers) close() {
	f.retire()
	f.mu.Lock()
	retired := f.retired
	f.retired = nil
	f.mu.Unlock()
	for _, server := range retired {
		server.Close()
	}
}

// fork starts an interpreter that has imported spec's preload already. It returns nil if that
// cannot be done with this one, which is then to be started in the ordinary way.
func (o *Opener) fork(ctx context.Context, spec *xspec.Spec, argv, env []string, stderr io.Writer) (*Preloaded, error) {
	if spec.ExecModel == xspec.ExecModelGevent || spec.ExecModel == xspec.ExecModelEventlet {
		return nil, nil // what patches modules must do so before they are imported
	}
	modules := spec.PreloadModules()
	end := len(argv) - 2 // "-c" and the program
	key := strings.Join(slices.Concat(argv, []string{spec.ChDir, ""}, modules, []string{""}, env), "\x00")
	server, err := o.forks.get(key, func() (*forkserver.Server, error) {
		c := forkserver.Config{Program: argv[end+1], Folder: spec.ChDir, Modules: modules}
		if o.WorkerModule != nil {
			c.WorkerFolder, c.WorkerModule = o.WorkerModule(spec)
		}
		server, err := forkserver.Start(argv[:end], env, c, o.stderr())
		if err == nil && c.WorkerModule != "" && o.Meanwhile != nil {
			o.Meanwhile()
		}
		return server, err
	})
	if err != nil {
		return nil, err
	}
	var refused *forkserver.RefusedError
	missing, err := server.Ready(ctx)
	switch {
	case errors.As(err, &refused):
		// Modules of this module's own tell their driver.
		if o.forks.firstRefusal(key) && !strings.Contains(spec.Preload, "_execnet_") {
			fmt.Fprintf(o.stderr(), "execnet: preload=%s: %s; each worker imports them itself\n", spec.Preload, refused.Problem)
		}
		return nil, nil
	case ctx.Err() != nil:
		return nil, err
	case err != nil:
		o.forks.drop(key, server)
		return nil, err
	}
	p, err := process.Run(argv[0], stderr, func(files [3]*os.File) (process.Child, error) {
		child, err := server.Fork(ctx, files)
		if err != nil {
			return nil, err
		}
		return child, nil
	})
	if err != nil {
		if ctx.Err() == nil {
			o.forks.drop(key, server)
		}
		return nil, err
	}
	return &Preloaded{p, missing}, nil
}
