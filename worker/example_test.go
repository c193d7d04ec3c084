package worker_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/worker"
)

// A function takes Go values and returns them; drivers call it as words.count.
func ExampleRegister() {
	count := func(text string) map[string]int {
		counts := map[string]int{}
		for _, word := range strings.Fields(strings.ToLower(text)) {
			counts[word]++
		}
		return counts
	}
	worker.Register("words", worker.Funcs{"count": count}) // at the top of main

	fmt.Println(count("The cat and the dog"))
	// Output: map[and:1 cat:1 dog:1 the:2]
}

// A function may take the execution's context and channel, and keyword arguments in a struct.
func ExampleFuncs() {
	type options struct {
		Loud bool `execnet:"loud"`
	}
	// Python source calls it as greetings.greet("you", loud=True).
	greet := func(ctx context.Context, ch *execnet.Channel, name string, o options) (string, error) {
		if o.Loud {
			name = strings.ToUpper(name)
		}
		return "hello " + name, ctx.Err()
	}
	worker.Register("greetings", worker.Funcs{"greet": greet})

	fmt.Println(greet(context.Background(), nil, "you", options{Loud: true}))
	// Output: hello YOU <nil>
}

// The test's main has served as a worker before an example runs, so this is registered before that.
func init() { worker.Register("examples", worker.Funcs{"repeat": strings.Repeat}) }

// The program has registered the function examples.repeat. It starts itself once more, as a worker:
// that second process ends within ServeIfWorker, and the first one calls the function there.
func ExampleServeIfWorker() {
	// worker.Register("examples", worker.Funcs{"repeat": strings.Repeat})
	worker.ServeIfWorker()

	ctx := context.Background()
	gw, err := execnet.MakeGateway(ctx, "popen//self")
	if err != nil {
		log.Fatal(err)
	}
	defer execnet.Terminate(ctx)
	text, err := execnet.RemoteCall[string](ctx, gw, "examples.repeat", "ab", 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output: ababab
}

// An error that names its class is raised as an exception of that class: here KeyError, which
// Python source can catch.
func ExampleRaised() {
	capitals := map[string]string{"France": "Paris"}
	capital := func(country string) (string, error) {
		if city, ok := capitals[country]; ok {
			return city, nil
		}
		return "", &worker.Raised{Class: "KeyError", Message: country}
	}
	worker.Register("geography", worker.Funcs{"capital": capital})

	_, err := capital("Atlantis")
	fmt.Println(err)
	// Output: KeyError: Atlantis
}

// A program whose own command line says that it is a worker calls Main.
func ExampleMain() {
	if len(os.Args) > 1 && os.Args[1] == "be-a-worker" {
		os.Exit(worker.Main())
	}
}
