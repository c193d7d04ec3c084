//go:build python

package main

import (
	"net/http/httptest"
	"testing"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/execnettest"
	"github.com/go-execnet/execnet/pytest"
)

// start starts the service for a test and returns its address.
func start(t *testing.T) string {
	service := httptest.NewServer(newService())
	t.Cleanup(service.Close)
	return service.Listener.Addr().String()
}

// TestPython runs the client's tests in two interpreters.
func TestPython(t *testing.T) {
	pytest.Run(t, pytest.Options{
		Dir:      "python",
		Gateways: []string{"2*popen//env:SERVICE=" + start(t)},
		Short:    []string{"-m", "not slow"},
	})
}

// TestClient calls the client from Go.
func TestClient(t *testing.T) {
	gw := execnettest.Gateway(t, "popen//chdir=python//env:SERVICE="+start(t))
	for want := range 3 {
		sum, err := execnet.RemoteCall[int](t.Context(), gw, "client.add", "apples", 1)
		if err != nil {
			t.Fatal(err)
		}
		if sum != want+1 {
			t.Errorf("%d apples, not %d", sum, want+1)
		}
	}
}
