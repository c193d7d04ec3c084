// Group starts three interpreters, lets all of them work at the same time, and receives their
// answers in the order in which they come. Ctrl-C terminates them; a second Ctrl-C kills them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() (err error) {
	group := execnet.NewGroup()
	ctx, stop := group.NotifyContext(context.Background())
	defer func() { err = errors.Join(err, stop()) }()

	// These can be any specs: ssh=host, popen//python=python3.12, popen//via=gw0 ...
	if _, err := group.MakeGateways(ctx, "popen", "popen", "popen//via=gw0"); err != nil {
		return err
	}
	channels, err := group.RemoteExec(ctx, `
		numbers = channel.receive()
		for n in numbers:
			channel.send((n, sum(range(n))))
	`)
	if err != nil {
		return err
	}
	if err := channels.SendEach(ctx, []int{10, 100}); err != nil {
		return err
	}
	total := 0
	for received, err := range channels.Items(ctx) {
		if err != nil {
			return err
		}
		total++
		fmt.Println(received.Channel.Gateway().ID(), "says", received.Item)
	}
	fmt.Println(total, "answers from", group.Len(), "interpreters")
	return nil
}
