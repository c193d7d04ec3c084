// Stream reads what a Python generator yields, row by row, and stops when it has seen enough. The
// generator never runs far ahead, and is closed when the loop ends.
package main

import (
	"context"
	"embed"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
)

//go:embed all:sensors
var python embed.FS

type reading struct {
	Time        string
	Sensor      int
	Temperature float64
}

func main() {
	ctx := context.Background()
	gw, err := execnet.MakeGateway(ctx, "popen")
	if err != nil {
		log.Fatal(err)
	}
	defer execnet.Terminate(ctx)
	if err := execnet.ImportFS(ctx, gw, python); err != nil {
		log.Fatal(err)
	}
	for r, err := range execnet.RemoteIter[reading](ctx, gw, "sensors.readings", execnet.Kwargs{"rows": 1_000_000}) {
		if err != nil {
			log.Fatal(err)
		}
		if r.Temperature > 40 {
			fmt.Printf("sensor %d has %.1f degrees at %s\n", r.Sensor, r.Temperature, r.Time)
			break
		}
	}
}
