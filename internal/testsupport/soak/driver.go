package main

// Drivers that are killed: this program, and one that uses Python's execnet.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// beDriver makes the gateways, prints the ids of their workers' processes, and keeps them busy
// until it is killed.
func beDriver(specs []string) {
	group := newGroup()
	ctx := context.Background()
	for _, spec := range specs {
		gw, err := group.MakeGateway(ctx, spec)
		if err != nil {
			fmt.Println("cannot make the gateway:", err)
			os.Exit(1)
		}
		pid, err := pidOf(ctx, gw)
		if err != nil {
			fmt.Println("cannot ask for the process:", err)
			os.Exit(1)
		}
		fmt.Println(pid)
		startLoad(ctx, gw)
	}
	fmt.Println("busy")
	time.Sleep(time.Hour)
}

// pipDriver is a driver of a Go worker that uses Python's execnet. It ends by itself when its
// worker dies.
const pipDriver = `
import sys, execnet
gw = execnet.makegateway("popen//python=" + sys.argv[1])
print(gw.remote_exec("import os; channel.send(os.getpid())").receive())
waiting = gw.remote_exec("import time\nwhile 1: time.sleep(0.1)")
ch = gw.remote_exec("for item in channel: channel.send(item)")
print("busy")
sys.stdout.flush()
i = 0
while True:
    ch.send(i)
    assert ch.receive() == i
    i += 1
`

func killDriver(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	cmd := exec.Command(s.program)
	cmd.Env = append(os.Environ(), roleVariable+"=driver", specsVariable+"="+strings.Join(w.specs, "\n"))
	return s.killOne(ctx, r, cmd, func(driver int, workers []int) int { return driver })
}

// killPipDriver kills a driver or its Go worker.
func killPipDriver(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	cmd := exec.Command(s.pip, "-c", pipDriver, s.program)
	return s.killOne(ctx, r, cmd, func(driver int, workers []int) int {
		if r.IntN(2) == 0 {
			return driver
		}
		return workers[0]
	})
}

// killOne starts a driver, which prints the processes of its workers, kills the process that choose
// returns, and checks that all of them end.
func (s *soak) killOne(ctx context.Context, r *rand.Rand, cmd *exec.Cmd, choose func(driver int, workers []int) int) (latency time.Duration, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	starting := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	var workers []int
	busy := false
	for lines := bufio.NewScanner(out); !busy && lines.Scan(); {
		pid, numberErr := strconv.Atoi(lines.Text())
		if busy = lines.Text() == "busy"; !busy && numberErr != nil {
			err = errors.Join(err, errors.New(lines.Text()))
		} else if !busy {
			workers = append(workers, pid)
		}
	}
	starting.Stop()
	if !busy || len(workers) == 0 {
		_ = cmd.Process.Kill()
		return 0, errors.Join(err, errors.New("the driver does not get busy"), cmd.Wait())
	}
	moment(ctx, r)
	start := time.Now()
	err = errors.Join(err, kill(choose(cmd.Process.Pid, workers)))
	ending := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	_, _ = io.Copy(io.Discard, out) // until the driver has ended
	_ = cmd.Wait()                  // it was killed, or its worker was
	if !ending.Stop() {
		err = errors.Join(err, fmt.Errorf("the driver has not ended after %v", limit))
	}
	for _, pid := range workers {
		err = errors.Join(err, awaitGone(pid))
	}
	return time.Since(start), err
}
