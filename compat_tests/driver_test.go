package compat_tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
)

// driverVariable names the environment variable that makes the test binary a driver. It holds the
// spec of the workers to start. Specs of gateways to make before them may stand in lines above.
const driverVariable = "EXECNET_TEST_BE_DRIVER"

// driverModeVariable names the variable that says how the driver ends: with "end" by itself, with
// "traffic" when its worker dies, otherwise it waits to be killed.
const driverModeVariable = "EXECNET_TEST_DRIVER_MODE"

// driverSourcesVariable names the variable that holds what the workers execute after they have sent
// their process ids: a JSON array, with a source for each worker.
const driverSourcesVariable = "EXECNET_TEST_DRIVER_SOURCES"

// beDriver starts the workers, has them execute the sources, and prints their process ids. Then it
// ends as driverModeVariable says.
func beDriver(specs string) {
	sources := []string{"", "channel.receive()"}
	err := error(nil)
	if encoded := os.Getenv(driverSourcesVariable); encoded != "" {
		err = json.Unmarshal([]byte(encoded), &sources)
	}
	ctx := context.Background()
	lines := strings.Split(specs, "\n")
	for _, spec := range lines[:len(lines)-1] {
		if err == nil {
			_, err = execnet.MakeGateway(ctx, spec)
		}
	}
	if os.Getenv(driverModeVariable) == "traffic" {
		if err := beTraffic(ctx, specs); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for _, source := range sources {
		if err == nil {
			err = beDriverOf(ctx, lines[len(lines)-1], source)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv(driverModeVariable) == "end" {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if err := execnet.Terminate(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
	select {}
}

// bothPIDs has the driver told the process ids of the CPython and of the Go worker.
const bothPIDs = "import os; channel.send((os.getpid(), os.getppid()))\n"

// everything is a Python program that sends and receives much on several channels until they end.
const everything = bothPIDs + `
import threading
def echo(ch):
    try:
        for item in ch: ch.send(item)
    except (EOFError, IOError): pass
def flood(ch):
    try:
        while True: ch.send(b"x" * 50000)
    except IOError: pass
channels = [channel.receive() for _ in range(4)]
for i, ch in enumerate(channels):
    thread = threading.Thread(target=(echo, flood)[i % 2], args=(ch,))
    thread.daemon = True
    thread.start()
channel.receive()
`

// beTraffic sends and receives much until the program at the far end, which is everything, ends or
// dies. If the worker lives, it then runs another program.
func beTraffic(ctx context.Context, spec string) error {
	gw, err := execnet.MakeGateway(ctx, spec)
	if err != nil {
		return err
	}
	ch, err := gw.RemoteExec(ctx, everything)
	if err != nil {
		return err
	}
	pids, err := execnet.Receive[[2]int](ctx, ch)
	if err != nil {
		return err
	}
	fmt.Println(pids[0], pids[1])
	var all sync.WaitGroup
	for i := range 4 {
		given, err := gw.NewChannel()
		if err != nil {
			break // it is dead already
		}
		if ch.Send(ctx, given) != nil {
			break
		}
		if i%2 == 0 {
			all.Go(func() {
				for given.Send(ctx, make([]byte, 50000)) == nil {
				}
			})
		}
		all.Go(func() {
			for err := error(nil); err == nil; {
				_, err = given.Receive(ctx)
			}
		})
	}
	_ = ch.WaitClose(ctx) // however it ends
	all.Wait()
	next, err := gw.RemoteExec(ctx, "channel.send(1)")
	if err == nil {
		_, err = next.Receive(ctx)
	}
	var died *execnet.GatewayDiedError
	if err != nil && !errors.As(err, &died) {
		return err
	}
	return execnet.Terminate(ctx)
}

func beDriverOf(ctx context.Context, spec, source string) error {
	gw, err := execnet.MakeGateway(ctx, spec)
	if err != nil {
		return err
	}
	ch, err := gw.RemoteExec(ctx, "import os; channel.send(os.getpid())\n"+source)
	if err != nil {
		return err
	}
	pid, err := execnet.Receive[int](ctx, ch)
	fmt.Println(pid)
	return err
}
