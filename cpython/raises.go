package cpython

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// errGoexit is the error of a function that has ended its goroutine.
var errGoexit = errors.New("a Go function has called runtime.Goexit, as FailNow of package testing does, and so returned nothing")

// endOf says that a function has met the end of the channel of the execution that calls it. Left
// unhandled, that ends the execution in order (protocol.md section 6.6).
type endOf struct {
	channel int
	err     error
}

func (e *endOf) Error() string { return e.err.Error() }

func (e *endOf) Unwrap() error { return e.err }

// raises is the exception that stands for the error of a Go function: the names of its class and of
// its bases, the message, the id of the channel whose end it is, and where a panic was in Go.
func raises(err error) serializer.Tuple {
	class, message := "RuntimeError", err.Error()
	var channel, frames any
	var end *endOf
	var panicked *engine.Panic
	var remote *gatewaybase.RemoteError
	var dump *serializer.DumpError
	var load *serializer.LoadError
	switch raised := engine.RaisedIn(err); {
	case raised != nil && gofunc.IsException(raised.Class):
		class, message = raised.Class, raised.Message
	case raised != nil:
		message = raised.Error()
	case errors.As(err, &panicked):
		frames = text(panicked.Frames)
	case errors.As(err, &remote):
		class, message = "execnet.gateway_base.RemoteError", remote.Formatted
	case errors.As(err, &dump):
		class = "execnet.gateway_base.DumpError"
	case errors.As(err, &load):
		class = "execnet.gateway_base.LoadError"
	case errors.As(err, &end):
		class, message, channel = "EOFError", "", end.channel
	case errors.Is(err, io.EOF):
		class = "EOFError"
	case errors.Is(err, gatewaybase.ErrTimeout):
		class = "execnet.gateway_base.TimeoutError"
	case errors.Is(err, context.Canceled):
		class, message = "KeyboardInterrupt", ""
	}
	var classes serializer.Tuple
	for _, name := range gofunc.MRO(class) {
		classes = append(classes, strings.TrimPrefix(name, "builtins."))
	}
	return serializer.Tuple{classes, text(message), channel, frames}
}

// text is s as a text that can be sent.
func text(s string) string {
	const most = 1 << 20
	if len(s) > most {
		s = s[:most/2] + fmt.Sprintf("\n[... %d bytes are left out here ...]\n", len(s)-most) + s[len(s)-most/2:]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
