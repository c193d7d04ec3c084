package execnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/go-execnet/execnet"
)

// A generator of the far end is never far ahead of the loop, so it may be endless. Leaving the loop
// closes it.
func ExampleRemoteIter() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	for n, err := range execnet.RemoteIter[int](ctx, gw, "itertools.count", 5) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(n)
		if n == 7 {
			break
		}
	}
	// Output:
	// 5
	// 6
	// 7
}

// What cannot be sent stays at the far end, behind a handle. Its methods are called by their names.
func ExampleNew() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	counter, err := execnet.New(ctx, gw, "collections.Counter", "abracadabra")
	if err != nil {
		log.Fatal(err)
	}
	defer counter.Close()
	fmt.Println(execnet.CallMethod[[]execnet.Tuple](ctx, counter, "most_common", 2))

	// As an argument a handle is the object itself.
	fmt.Println(execnet.RemoteCall[int](ctx, gw, "builtins.len", counter))
	// Output:
	// [('a', 5) ('b', 2)] <nil>
	// 5 <nil>
}

func ExampleIterMethod() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	text, err := execnet.New(ctx, gw, "io.StringIO", "first\nsecond\n")
	if err != nil {
		log.Fatal(err)
	}
	defer text.Close()
	for line, err := range execnet.IterMethod[string](ctx, text, "__iter__") {
		fmt.Printf("%q %v\n", line, err)
	}
	// Output:
	// "first\n" <nil>
	// "second\n" <nil>
}

// errors.Is knows the class of an exception, and those that it is derived from.
func ExampleException() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	_, err := execnet.RemoteCall[string](ctx, gw, "os.readlink", "/no/such/link")
	fmt.Println(errors.Is(err, execnet.Exception("FileNotFoundError")))
	fmt.Println(errors.Is(err, execnet.Exception("OSError")))
	fmt.Println(errors.Is(err, execnet.Exception("ValueError")))
	// Output:
	// true
	// true
	// false
}

// An array is a numpy array at the far end. Here it is filled and read without one.
func ExampleArrayOf() {
	a, err := execnet.ArrayOf([][]int32{{1, 2, 3}, {4, 5, 6}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.DType, a.Shape, len(a.Data), "bytes")

	var back [][]float64
	fmt.Println(a.Into(&back), back)
	// Output:
	// <i4 [2 3] 24 bytes
	// <nil> [[1 2 3] [4 5 6]]
}

// Channel.Interrupt raises KeyboardInterrupt in the source, as Ctrl-C does in a program.
func ExampleChannel_interrupt() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, `
		import time
		channel.send("working")
		try:
			time.sleep(1000)
		except KeyboardInterrupt:
			channel.send("interrupted")
	`)
	fmt.Println(ch.Receive(ctx))
	if err := ch.Interrupt(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(ch.Receive(ctx))
	// Output:
	// working <nil>
	// interrupted <nil>
}

// Output gets what workers print, line by line.
func ExampleGroup_output() {
	ctx := context.Background()
	lines := make(chan execnet.Line, 1)
	group := execnet.NewGroup()
	group.Output = func(line execnet.Line) { lines <- line }
	gw, err := group.MakeGateway(ctx, "popen//id=worker")
	if err != nil {
		log.Fatal(err)
	}
	defer group.Terminate(ctx)

	exec(ctx, gw, "print('hello')")
	line := <-lines
	fmt.Println(line.Gateway, line.Stream, line.Text)
	// Output: worker stdout hello
}

// A group makes gateways one by one as well. Its settings are for all of them.
func ExampleGroup_makeGateway() {
	ctx := context.Background()
	group := execnet.NewGroup()
	group.Stderr = io.Discard // what workers print to stderr
	defer group.Terminate(ctx)

	gw, err := group.MakeGateway(ctx, "popen//id=here//env:GREETING=hello")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(execnet.RemoteCall[string](ctx, gw, "os.getenv", "GREETING"))
	fmt.Println(group.Get("here") == gw)
	// Output:
	// hello <nil>
	// true
}
