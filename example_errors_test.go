package execnet_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-execnet/execnet"
)

func ExampleRemoteError() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "int('five')")
	err := ch.WaitClose(ctx)
	var raised *execnet.RemoteError
	if errors.As(err, &raised) {
		fmt.Println(raised.Exception(), "-", raised.Message()) // raised.Formatted is the traceback
	}
	// Output: ValueError - invalid literal for int() with base 10: 'five'
}

func ExampleGatewayDiedError() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "import os; os._exit(3)")
	_, err := ch.Receive(ctx)
	var died *execnet.GatewayDiedError
	if errors.As(err, &died) {
		fmt.Println("exit status", died.Exit.Code)
	}
	// Output: exit status 3
}

func ExampleBootstrapError() {
	_, err := execnet.MakeGateway(context.Background(), "popen//python=echo hello")
	var failed *execnet.BootstrapError
	if errors.As(err, &failed) {
		fmt.Printf("%.5s\n", failed.Got)
	}
	// Output: hello
}

func ExampleMakeGatewaysError() {
	ctx := context.Background()
	group := execnet.NewGroup()
	_, err := group.MakeGateways(ctx, "popen", "popen//python=echo")
	var failed *execnet.MakeGatewaysError
	if errors.As(err, &failed) {
		for _, f := range failed.Failed {
			fmt.Println(f.ID, f.Spec)
		}
		fmt.Println(len(failed.Failed), "of", failed.Total, "failed;", group.Len(), "are left")
	}
	// Output:
	// gw1 popen//python=echo
	// 1 of 2 failed; 0 are left
}

func ExampleErrTimeout() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "channel.receive()")
	limited, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err := ch.Receive(limited)
	fmt.Println(errors.Is(err, execnet.ErrTimeout), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}

func ExampleErrClosed() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "pass")
	_ = ch.WaitClose(ctx)
	err := ch.Send(ctx, 1)
	fmt.Println(errors.Is(err, execnet.ErrClosed))
	// Output: true
}

func ExampleErrDuplicateID() {
	ctx := context.Background()
	defer execnet.Terminate(ctx)

	_, _ = execnet.MakeGateway(ctx, "popen//id=one")
	_, err := execnet.MakeGateway(ctx, "popen//id=one")
	fmt.Println(errors.Is(err, execnet.ErrDuplicateID))
	// Output: true
}

func ExampleErrHasCallback() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "channel.receive()")
	_ = ch.SetCallback(func(any) error { return nil }, execnet.NoEndmarker)
	_, err := ch.Receive(ctx)
	fmt.Println(errors.Is(err, execnet.ErrHasCallback))
	// Output: true
}

func ExampleSourceError() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	_, err := gw.RemoteExec(ctx, "def main(name): pass", execnet.Call("main", nil))
	var bad *execnet.SourceError
	if errors.As(err, &bad) {
		fmt.Println(bad.Problem)
	}
	// Output: the first argument of the function main must be named channel, not "name"
}

func ExampleXSpecError() {
	_, err := execnet.ParseXSpec("popen//nice=very")
	var bad *execnet.XSpecError
	if errors.As(err, &bad) {
		fmt.Println(bad.Key, "-", bad.Problem)
	}
	// Output: nice - "very" is not an integer; write for example "nice=10"
}

func ExampleDumpError() {
	_, err := execnet.Dumps(map[string]any{"rows": []any{1, make(chan int)}})
	var bad *execnet.DumpError
	if errors.As(err, &bad) {
		fmt.Println(bad.Path)
	}
	// Output: ["rows"][1]
}

func ExampleLoadError() {
	_, err := execnet.Loads([]byte("\x02X"))
	var bad *execnet.LoadError
	if errors.As(err, &bad) {
		fmt.Println("at byte", bad.Offset)
	}
	// Output: at byte 1
}

func ExampleHostNotFoundError() {
	_, err := execnet.MakeGateway(context.Background(), "socket=localhost:1")
	var lost *execnet.HostNotFoundError
	if errors.As(err, &lost) {
		fmt.Println(lost.Host)
	}
	// Output: localhost:1
}
