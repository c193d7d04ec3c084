// Wordcount lets three Python interpreters count words at the same time. Their source is a Python
// file that is embedded in the program. Their answers arrive as a Go struct.
package main

import (
	"context"
	"embed"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
)

//go:embed count.py
var python embed.FS

type counts struct {
	Total int            `execnet:"total"`
	Words map[string]int `execnet:"words"`
}

var texts = []string{
	"The quick brown fox jumps over the lazy dog.",
	"The dog sleeps; the fox does not.",
	"Meanwhile, in another interpreter, the cat waits.",
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	group := execnet.NewGroup()
	defer group.Terminate(context.Background())
	channels := make([]*execnet.Channel, len(texts))
	for i, text := range texts {
		gw, err := group.MakeGateway(ctx, "popen")
		if err != nil {
			return err
		}
		if channels[i], err = gw.RemoteExecFS(ctx, python, "count.py"); err != nil {
			return err
		}
		if err := channels[i].Send(ctx, text); err != nil {
			return err
		}
	}
	for _, ch := range channels {
		info, err := ch.Gateway().RInfo(ctx)
		if err != nil {
			return err
		}
		got, err := execnet.Receive[counts](ctx, ch)
		if err != nil {
			return err
		}
		fmt.Printf("worker %s on Python %v: %d words\n", ch.Gateway().ID(), info.VersionInfo, got.Total)
		fmt.Printf("  the %d\n", got.Words["the"])
	}
	return nil
}
