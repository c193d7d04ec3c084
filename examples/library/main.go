// Library uses a Python package as a library: it is embedded in the program, and the interpreter
// imports it from there. Nothing is installed.
package main

import (
	"context"
	"embed"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
)

//go:embed all:analysis
var python embed.FS

type line struct {
	Slope, Intercept float64
	Unit             string
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
	points := [][2]float64{{1, 3}, {2, 5}, {3, 7}, {4, 9}}
	for _, options := range []execnet.Kwargs{{"unit": "mm"}, {}} {
		fitted, err := execnet.RemoteCall[line](ctx, gw, "analysis.model.fit", points, options)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("y = %g x + %g %s\n", fitted.Slope, fitted.Intercept, fitted.Unit)
	}
	_, err = execnet.RemoteCall[line](ctx, gw, "analysis.model.fit", points[:1])
	fmt.Println(err)
}
