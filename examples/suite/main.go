// Suite is a small service in Go whose client is in Python. Its Go tests run the client's tests
// against it; they need pytest:
//
//	python3 -m venv .venv
//	.venv/bin/python -m pip install pytest
//	EXECNET_PYTHON=$PWD/.venv/bin/python go test -tags python ./examples/suite
package main

import (
	"fmt"
	"log"
	"net/http"
	"strconv"
	"sync"
)

func main() {
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", newService()))
}

// newService returns the service. It keeps counters: GET /NAME is the value of one, and POST
// /NAME?by=N adds to it and returns the sum.
func newService() http.Handler {
	var mu sync.Mutex // guards counters
	counters := map[string]int{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprint(w, counters[r.PathValue("name")])
	})
	mux.HandleFunc("POST /{name}", func(w http.ResponseWriter, r *http.Request) {
		by, err := strconv.Atoi(r.FormValue("by"))
		if err != nil {
			http.Error(w, "by has to be a number", http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		counters[r.PathValue("name")] += by
		fmt.Fprint(w, counters[r.PathValue("name")])
	})
	return mux
}
