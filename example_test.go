package execnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"testing/fstest"
	"time"

	"github.com/go-execnet/execnet"
)

// start makes a gateway for an example, to the interpreter that is called python3.
func start() (context.Context, *execnet.Gateway) {
	ctx := context.Background()
	gw, err := execnet.MakeGateway(ctx, "popen")
	if err != nil {
		log.Fatal(err)
	}
	return ctx, gw
}

// exec runs a source for an example.
func exec(ctx context.Context, gw *execnet.Gateway, source string) *execnet.Channel {
	ch, err := gw.RemoteExec(ctx, source)
	if err != nil {
		log.Fatal(err)
	}
	return ch
}

func Example() {
	ctx := context.Background()
	gw, err := execnet.MakeGateway(ctx, "popen//python=python3")
	if err != nil {
		log.Fatal(err)
	}
	defer execnet.Terminate(ctx)

	n, err := execnet.RemoteCall[int](ctx, gw, "math.gcd", 42, 30)
	fmt.Println(n, err)
	// Output: 6 <nil>
}

// The modules of an embed.FS or a folder can be imported, also on another host, where nothing is
// installed.
func ExampleImportFS() {
	python := fstest.MapFS{
		"shapes/__init__.py": {},
		"shapes/circle.py":   {Data: []byte("from .numbers import PI\n\ndef area(r):\n    return PI * r ** 2\n")},
		"shapes/numbers.py":  {Data: []byte("PI = 3.0  # roughly\n")},
	}
	ctx, gw := start()
	defer execnet.Terminate(ctx)
	if err := execnet.ImportFS(ctx, gw, python); err != nil {
		log.Fatal(err)
	}
	area, err := execnet.RemoteCall[float64](ctx, gw, "shapes.circle.area", 2)
	fmt.Println(area, err)
	// Output: 12 <nil>
}

func ExampleMakeGateway() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	gw, err := execnet.MakeGateway(ctx, "popen//id=worker")
	if err != nil {
		log.Fatal(err) // it says what was tried, and what came instead of an answer
	}
	defer execnet.Terminate(ctx)
	info, err := gw.RInfo(ctx)
	fmt.Println(gw.ID(), info.VersionInfo.Major, err)
	// Output: worker 3 <nil>
}

func ExampleRemoteCall() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	// Any function of any module that Python can import there.
	path, err := execnet.RemoteCall[string](ctx, gw, "os.path.join", "usr", "lib")
	fmt.Println(path, err)

	// Keyword arguments come last. The result fills a Go type.
	numbers, err := execnet.RemoteCall[[]int](ctx, gw, "builtins.sorted", []int{1, 3, 2}, execnet.Kwargs{"reverse": true})
	fmt.Println(numbers, err)

	_, err = execnet.RemoteCall[float64](ctx, gw, "math.sqrt", -1)
	var raised *execnet.RemoteError
	if errors.As(err, &raised) {
		fmt.Println(raised.Exception())
	}
	// Output:
	// usr/lib <nil>
	// [3 2 1] <nil>
	// ValueError
}

func ExampleGateway_remoteExec() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch, err := gw.RemoteExec(ctx, `
		for word in channel:
			channel.send(word.upper())
	`)
	if err != nil {
		log.Fatal(err)
	}
	for _, word := range []string{"ham", "eggs"} {
		if err := ch.Send(ctx, word); err != nil {
			log.Fatal(err)
		}
	}
	_ = ch.CloseSend() // the Python loop ends, and with it the source
	for word, err := range execnet.Items[string](ctx, ch) {
		fmt.Println(word, err)
	}
	// Output:
	// HAM <nil>
	// EGGS <nil>
}

func ExampleCall() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch, err := gw.RemoteExec(ctx, `
def repeat(channel, word, times):
    channel.send(word * times)
`, execnet.Call("repeat", map[string]any{"word": "ho", "times": 3}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ch.Receive(ctx))
	// Output: hohoho <nil>
}

func ExampleReceive() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	type point struct {
		X, Y float64
		Name string `execnet:"label"`
	}
	ch := exec(ctx, gw, `channel.send({"X": 1.5, "Y": 2, "label": "here"})`)
	p, err := execnet.Receive[point](ctx, ch)
	fmt.Printf("%+v %v\n", p, err)
	_, err = ch.Receive(ctx)
	fmt.Println(err == io.EOF, "after the last item")
	// Output:
	// {X:1.5 Y:2 Name:here} <nil>
	// true after the last item
}

func ExampleItems() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "for n in range(4): channel.send(n * n)")
	sum := 0
	for n, err := range execnet.Items[int](ctx, ch) {
		if err != nil {
			log.Fatal(err) // what ended the source; the end itself is no error
		}
		sum += n
	}
	fmt.Println(sum)
	// Output: 14
}

func ExampleChannel_setCallback() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, "for n in range(3): channel.send(n)")
	err := ch.SetCallback(func(item any) error {
		fmt.Println(item)
		return nil
	}, "no more")
	if err != nil {
		log.Fatal(err)
	}
	_ = ch.WaitClose(ctx) // the callback has seen everything then
	// Output:
	// 0
	// 1
	// 2
	// no more
}

func ExampleChannel_makeFileWriter() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, `
		text = b"".join(channel)
		channel.send(len(text.splitlines()))
	`)
	file := ch.MakeFileWriter(ctx)
	fmt.Fprintf(file, "one\ntwo\n")
	fmt.Fprintf(file, "three\n")
	_ = ch.CloseSend()
	fmt.Println(ch.Receive(ctx))
	// Output: 3 <nil>
}

func ExampleChannel_makeFileReader() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, `
		f = channel.makefile("w")
		for n in range(3):
			f.write("line %d\n" % n)
	`)
	_, err := io.Copy(os.Stdout, ch.MakeFileReader(ctx))
	fmt.Println(err)
	// Output:
	// line 0
	// line 1
	// line 2
	// <nil>
}

func ExampleGateway_newChannel() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	// A channel that is sent over another channel connects both ends of that gateway.
	ch := exec(ctx, gw, `
		results = channel.receive()
		results.send("over a channel of its own")
		results.close()
	`)
	results, err := gw.NewChannel()
	if err != nil {
		log.Fatal(err)
	}
	if err := ch.Send(ctx, results); err != nil {
		log.Fatal(err)
	}
	for item, err := range results.Items(ctx) {
		fmt.Println(item, err)
	}
	// Output: over a channel of its own <nil>
}

func ExampleGroup() {
	ctx := context.Background()
	group := execnet.NewGroup()
	defer group.Terminate(ctx)

	// Side by side; ids are given in this order.
	gateways, err := group.MakeGateways(ctx, "popen", "popen//id=second", "popen//via=gw0")
	if err != nil {
		log.Fatal(err) // it says which ones failed, and why
	}
	for _, gw := range gateways {
		fmt.Println(gw.ID())
	}
	fmt.Println(group.Get("second") == group.At(1), group.Len())
	// Output:
	// gw0
	// second
	// gw1
	// true 3
}

func ExampleGroup_notifyContext() {
	group := execnet.NewGroup()
	ctx, stop := group.NotifyContext(context.Background()) // ends at Ctrl-C, and the workers too
	defer stop()
	if _, err := group.MakeGateway(ctx, "popen"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(group)
	// Output: <Group ["gw0"]>
}

func ExampleMultiChannel() {
	ctx := context.Background()
	group := execnet.NewGroup()
	defer group.Terminate(ctx)
	if _, err := group.MakeGateways(ctx, "popen", "popen"); err != nil {
		log.Fatal(err)
	}
	channels, err := group.RemoteExec(ctx, "channel.send(channel.receive() + 1)")
	if err != nil {
		log.Fatal(err)
	}
	if err := channels.SendEach(ctx, 41); err != nil {
		log.Fatal(err)
	}
	var answers []string
	for r, err := range channels.Items(ctx) { // as they come
		if err != nil {
			log.Fatal(err)
		}
		answers = append(answers, fmt.Sprint(r.Channel.Gateway().ID(), " says ", r.Item))
	}
	slices.Sort(answers)
	fmt.Println(answers)
	// Output: [gw0 says 42 gw1 says 42]
}

func ExampleNewMultiChannel() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	channels := execnet.NewMultiChannel(
		exec(ctx, gw, "channel.send('a')"),
		exec(ctx, gw, "channel.send('b')"))
	fmt.Println(channels.ReceiveEach(ctx))
	// Output: [a b] <nil>
}

func ExampleDumps() {
	data, err := execnet.Dumps([]any{1, "two", nil})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(execnet.Loads(data)) // execnet.loads in Python reads the same bytes
	// Output: [1 two <nil>] <nil>
}

func ExampleNewDict() {
	d := execnet.NewDict("b", 1, "a", execnet.Tuple{1, "x"}, 3, nil)
	fmt.Println(d)
	// Output: {'b': 1, 'a': (1, 'x'), 3: None}
}

func ExampleParseXSpec() {
	spec, err := execnet.ParseXSpec("ssh=-p 2222 me@host//python=python3.12//env:LANG=C")
	fmt.Println(spec.SSH, spec.Python, spec.Env, err)
	// Output: -p 2222 me@host python3.12 map[LANG:C] <nil>
}

// A program that receives many large items gives each one back when it needs it no longer. The next
// ones are read into the same memory.
func ExampleGiveBack() {
	ctx, gw := start()
	defer execnet.Terminate(ctx)

	ch := exec(ctx, gw, `
for i in range(100):
    channel.send(b"x" * 1000000)
`)
	total := 0
	for block, err := range execnet.Items[[]byte](ctx, ch) {
		if err != nil {
			log.Fatal(err)
		}
		total += len(block)
		execnet.GiveBack(block)
	}
	fmt.Println(total)
	// Output: 100000000
}
