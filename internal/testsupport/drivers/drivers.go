// Package drivers has a test program be a driver of its own, which the test kills.
package drivers

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/go-execnet/execnet/multi"
)

// variable makes the test program a driver of the spec that it holds.
const variable = "EXECNET_TEST_DRIVER"

// Serve is for TestMain, in front of everything that a test or a worker needs. In a program that
// Start has started it makes the gateways of the spec, tells of them, and does nothing more.
func Serve() {
	spec := os.Getenv(variable)
	if spec == "" {
		return
	}
	_ = os.Unsetenv(variable) // a worker that it starts is one
	gateways, err := multi.NewGroup().MakeGateways(context.Background(), spec)
	for _, gw := range gateways {
		info, infoErr := gw.RInfo(context.Background())
		if infoErr != nil {
			err = infoErr
			break
		}
		fmt.Println("worker", info.PID)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

// Driver is a driver that was started.
type Driver struct {
	command *exec.Cmd
	lines   *bufio.Scanner
}

// Start starts this test program as a driver of a spec's gateways. It is killed when the test ends.
func Start(t *testing.T, spec string) *Driver {
	t.Helper()
	d := &Driver{command: exec.Command(os.Args[0])}
	d.command.Env = append(os.Environ(), variable+"="+spec)
	d.command.Stderr = os.Stderr
	out, err := d.command.StdoutPipe()
	if err == nil {
		err = d.command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	d.lines = bufio.NewScanner(out)
	t.Cleanup(d.Kill)
	return d
}

// Ready waits until the gateways work, and returns the process ids of their workers.
func (d *Driver) Ready(t *testing.T) (workers []int) {
	t.Helper()
	for d.lines.Scan() {
		if d.lines.Text() == "ready" {
			return workers
		}
		var pid int
		if _, err := fmt.Sscanf(d.lines.Text(), "worker %d", &pid); err != nil {
			t.Fatalf("the driver says %q", d.lines.Text())
		}
		workers = append(workers, pid)
	}
	t.Fatal("the driver has ended")
	return nil
}

// Kill kills the driver, unless that was done, and waits for its end.
func (d *Driver) Kill() {
	_ = d.command.Process.Kill() // it fails when it has ended
	_ = d.command.Wait()         // how it has ended is known
}
