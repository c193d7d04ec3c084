package embedded_test

import (
	"context"
	"embed"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/embedded"
)

//go:embed testdata/wheels/*.whl
var wheels embed.FS

// A program that needs no Python on its machine, and brings a package of its own.
func Example() {
	embedded.Site(wheels)
	ctx := context.Background()
	defer execnet.Terminate(ctx)
	gw, err := execnet.MakeGateway(ctx, "popen//python=embedded")
	if err != nil {
		log.Fatal(err)
	}
	ch, err := gw.RemoteExec(ctx, "import greeting, sys; channel.send(greeting.to(channel.receive(), sys.version_info[:2]))")
	if err != nil {
		log.Fatal(err)
	}
	if err := ch.Send(ctx, "gopher"); err != nil {
		log.Fatal(err)
	}
	said, err := ch.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(said)
	// Output: Hello, gopher, from Python 3.14
}
