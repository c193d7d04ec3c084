// Hello starts a Python interpreter, lets it compute something, and prints its answer.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
)

func main() {
	ctx := context.Background()
	gw, err := execnet.MakeGateway(ctx, "popen")
	if err != nil {
		log.Fatal(err)
	}
	defer execnet.Terminate(context.Background())
	ch, err := gw.RemoteExec(ctx, `
		import sys
		for n in channel:
			channel.send((n, n ** 20, sys.version.split()[0]))
	`)
	if err != nil {
		log.Fatal(err)
	}
	for n := range 5 {
		if err := ch.Send(ctx, n); err != nil {
			log.Fatal(err)
		}
		item, err := ch.Receive(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(item)
	}
}
