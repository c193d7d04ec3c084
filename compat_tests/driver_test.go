package compat_tests

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-execnet/execnet"
)

// driverVariable names the environment variable that makes the test binary a driver. It holds the
// spec of the workers to start.
const driverVariable = "EXECNET_TEST_BE_DRIVER"

// driverModeVariable names the variable that says how the driver ends: with "end" by itself,
// otherwise it waits to be killed.
const driverModeVariable = "EXECNET_TEST_DRIVER_MODE"

// beDriver starts two workers, one of which executes something, and prints their process ids. Then
// it ends as driverModeVariable says.
func beDriver(spec string) {
	ctx := context.Background()
	for _, source := range []string{"import os; channel.send(os.getpid())", "import os; channel.send(os.getpid()); channel.receive()"} {
		gw, err := execnet.MakeGateway(ctx, spec)
		if err == nil {
			var ch *execnet.Channel
			if ch, err = gw.RemoteExec(ctx, source); err == nil {
				var pid int
				pid, err = execnet.Receive[int](ctx, ch)
				fmt.Println(pid)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
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
