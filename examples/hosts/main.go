// Hosts asks machines how full their disks are, all at once. A machine that cannot be reached does
// not keep the others from answering:
//
//	go run ./examples/hosts popen ssh=me@example.org ssh=other.example.org
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/go-execnet/execnet"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(specs []string) error {
	group := execnet.NewGroup()
	ctx, stop := group.NotifyContext(context.Background())
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, failed := group.MakeGatewaysPartial(ctx, specs...)
	channels, err := group.RemoteExec(ctx, `
		import os, socket
		disk = os.statvfs("/")
		channel.send((socket.gethostname(), 100 - 100 * disk.f_bavail // disk.f_blocks))
	`)
	if err != nil {
		return err
	}
	for answer, err := range channels.Items(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(answer.Channel.Gateway().Spec(), answer.Item)
	}
	return failed
}
