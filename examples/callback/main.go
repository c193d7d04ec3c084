// Callback receives the items of a worker by a callback, while the program could do something else.
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
		def ticks(channel, count):
			for n in range(count):
				channel.send(n)
	`, execnet.Call("ticks", map[string]any{"count": 3}))
	if err != nil {
		log.Fatal(err)
	}
	err = ch.SetCallback(func(item any) error {
		if item == nil {
			fmt.Println("done")
			return nil
		}
		fmt.Println("tick", item)
		return nil
	}, nil) // the endmarker, which the callback gets last
	if err != nil {
		log.Fatal(err)
	}
	if err := ch.WaitClose(ctx); err != nil {
		log.Fatal(err)
	}
}
