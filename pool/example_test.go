//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"testing/fstest"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/pool"
)

// A function is called for each input, side by side in four interpreters. Results come in the order
// of the inputs.
func Example() {
	ctx := context.Background()
	p, err := pool.New(ctx, pool.Options{Specs: []string{"4*popen"}})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	for result, err := range pool.Map[int](ctx, p, "math.factorial", slices.Values([]int{3, 4, 5})) {
		fmt.Println(result.Value, err)
	}
	// Output:
	// 6 <nil>
	// 24 <nil>
	// 120 <nil>
}

// The modules of an fs.FS can be imported in every worker.
func ExampleNew() {
	ctx := context.Background()
	p, err := pool.New(ctx, pool.Options{
		Specs:    []string{"2*popen"},
		ImportFS: fstest.MapFS{"tasks.py": {Data: []byte("def shout(text, times=1):\n    return text.upper() + '!' * times\n")}},
		Retries:  2, // for jobs whose worker has died
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	fmt.Println(pool.Call[string](ctx, p, "tasks.shout", "hello", execnet.Kwargs{"times": 3}))
	// Output: HELLO!!! <nil>
}

// An exception is the result of its job. The other jobs go on.
func ExampleMap() {
	ctx := context.Background()
	p, err := pool.New(ctx, pool.Options{Specs: []string{"2*popen"}})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	powers := []pool.Args{{2, 10}, {0, -1}, {3, 3}} // two arguments for each call
	for result, err := range pool.Map[int](ctx, p, "builtins.pow", slices.Values(powers)) {
		fmt.Println(result.Value, errors.Is(err, execnet.Exception("ZeroDivisionError")))
	}
	// Output:
	// 1024 false
	// 0 true
	// 27 false
}

// A job that takes longer than Timeout loses its worker, which is replaced.
func ExampleJobError() {
	ctx := context.Background()
	p, err := pool.New(ctx, pool.Options{Specs: []string{"popen"}, Timeout: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	_, err = pool.Call[any](ctx, p, "time.sleep", 1000)
	var failed *pool.JobError
	if errors.As(err, &failed) {
		fmt.Println(failed.Job, "was run", failed.Attempts, "time;", errors.Is(err, execnet.ErrTimeout))
	}
	// Output: time.sleep(1000) was run 1 time; true
}
