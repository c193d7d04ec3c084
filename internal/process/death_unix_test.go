//go:build unix

package process

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// TestDeathsHaveAStatus has many processes die, sixteen at a time: each gateway's error tells the
// exit status.
func TestDeathsHaveAStatus(t *testing.T) {
	const deaths = 1000
	spec, err := xspec.Parse("popen//id=dead")
	require.NoError(t, err)
	jobs := make(chan struct{})
	var running sync.WaitGroup
	var worst atomic.Int64
	for range 16 {
		running.Go(func() {
			for range jobs {
				p, err := Start([]string{"/bin/sh", "-c", "read line; exit 7"}, nil, nil)
				if !assert.NoError(t, err) {
					continue
				}
				gw := gatewaybase.New(p, gatewaybase.Config{Spec: spec, Warnings: t.Output()})
				_, err = p.Write([]byte("\n"))
				assert.NoError(t, err)
				at := time.Now()
				for gw.HasReceiver() {
					time.Sleep(time.Millisecond)
				}
				worst.Store(max(worst.Load(), int64(time.Since(at))))
				assert.EqualError(t, gw.Err(), "execnet: gateway dead died (exit status 7)")
				assert.NoError(t, gw.Join(t.Context()))
			}
		})
	}
	for range deaths {
		jobs <- struct{}{}
	}
	close(jobs)
	running.Wait()
	t.Logf("%d deaths; the slowest was known after %v", deaths, time.Duration(worst.Load()))
}
