package gatewaybase

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// tracer writes what a gateway does when EXECNET_DEBUG is set, as execnet's trace function: 2 to
// stderr with the process id before each line, anything else to the file execnet-debug-PID in the
// temporary folder. It is nil when tracing is off.
type tracer struct {
	mu     sync.Mutex // one line at a time
	w      io.Writer
	prefix string
}

var processTracer = sync.OnceValue(func() *tracer {
	switch level := os.Getenv("EXECNET_DEBUG"); level {
	case "":
		return nil
	case "2":
		return &tracer{w: os.Stderr, prefix: fmt.Sprintf("[%d] ", os.Getpid())}
	default:
		name := filepath.Join(os.TempDir(), fmt.Sprintf("execnet-debug-%d", os.Getpid()))
		f, err := os.Create(name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "execnet: EXECNET_DEBUG=%s, but there can be no trace: %v\n", level, err)
			return nil
		}
		return &tracer{w: f}
	}
})

// trace writes one line for the gateway if tracing is on.
func (t *tracer) trace(gateway string, words ...any) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprint(t.w, t.prefix, gateway, " ", fmt.Sprintln(words...))
}
