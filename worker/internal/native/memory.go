package native

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// memoryText is what Gateway.RemoteMemory executes.
type memoryText struct{}

func (memoryText) recognises(p gatewaybase.Program) bool { return p.AsksMemory() }

// serveMemory sends how many bytes of memory this worker occupies.
func serveMemory(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
	memory, err := memory()
	if err != nil {
		return err
	}
	return ch.Send(ctx, memory)
}

// memory is what this process and its children occupy on Linux, elsewhere what the Go runtime has
// taken from the system.
func memory() (int64, error) {
	if runtime.GOOS == "linux" {
		return tree(os.Getpid())
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64()), nil
}

// tree adds up the resident memory of a process and of all below it.
func tree(pid int) (int64, error) {
	folder := fmt.Sprintf("/proc/%d", pid)
	statm, err := os.ReadFile(folder + "/statm")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0, fmt.Errorf("execnet: %s/statm has %d fields", folder, len(fields))
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, err
	}
	total := pages * int64(os.Getpagesize())
	lists, err := filepath.Glob(folder + "/task/*/children")
	if err != nil {
		return 0, err
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // a thread that has ended meanwhile has no list
		for _, child := range bytes.Fields(children) {
			id, err := strconv.Atoi(string(child))
			if err != nil {
				return 0, err
			}
			below, err := tree(id)
			if err == nil { // else it has ended meanwhile
				total += below
			}
		}
	}
	return total, nil
}
