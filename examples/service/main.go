// Service answers HTTP requests by calling Python. Its worker is replaced when it dies or does not
// answer; SIGHUP replaces it by one with the present code, and no request is lost; SIGTERM and
// Ctrl-C end the service when the requests under way are answered, a second one ends it at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-execnet/execnet/pool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p, err := pool.New(context.Background(), pool.Options{
		Specs: []string{"popen"}, ImportFS: os.DirFS(os.Args[1]),
		Timeout: 10 * time.Second, Retries: 1, HealthCheck: 5 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /predict", func(w http.ResponseWriter, r *http.Request) {
		y, err := pool.Call[float64](r.Context(), p, "model.predict", r.FormValue("x"))
		if err != nil {
			slog.Error("predict", "err", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, y)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{}
	go server.Serve(listener)
	slog.Info("serving", "address", listener.Addr(), "worker", p.Stats().Workers[0].Gateway)

	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	for ctx.Err() == nil {
		select {
		case <-reload:
			slog.Info("reloading", "err", p.Reload(ctx))
		case <-ctx.Done():
		}
	}
	stop() // a second Ctrl-C ends the program at once
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	slog.Info("ending")
	if err := errors.Join(server.Shutdown(limit), p.Close(limit)); err != nil {
		log.Fatal(err)
	}
}
