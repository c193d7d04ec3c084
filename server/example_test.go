//go:build unix

package server_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/server"
)

// A socket server on the loopback starts a worker for each driver that connects.
func ExampleSocket() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	program, err := os.Executable() // any program that calls worker.Main, or "execnet", "worker"
	if err != nil {
		log.Fatal(err)
	}
	command := server.Command{Args: []string{program}, Env: append(os.Environ(), server.AsWorker)}
	ended := make(chan error, 1)
	go func() { ended <- server.Socket{Command: command}.Serve(context.Background(), listener) }()

	ctx := context.Background()
	group := multi.NewGroup()
	gw, err := group.MakeGateway(ctx, "socket="+listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	info, err := gw.RInfo(ctx)
	fmt.Println(info.PID != os.Getpid(), err) // the worker is a process of its own

	if err := group.Terminate(ctx); err != nil {
		log.Fatal(err)
	}
	listener.Close() // Serve returns when the last worker has ended
	fmt.Println(<-ended)
	// Output:
	// true <nil>
	// <nil>
}
