package fleet

import (
	"context"
	"time"

	"github.com/go-execnet/execnet/multi"
)

const (
	// Patience is how long workers that have done their part may take to end.
	Patience = 5 * time.Second
	// Grace is how long workers that are in the middle of it may take.
	Grace = time.Second
)

// End ends all gateways of the group and returns when they are gone: asked, and killed after
// Patience, or Grace after ctx has ended, or as soon as atOnce is closed.
func End(ctx context.Context, atOnce <-chan struct{}, group *multi.Group) error {
	gateways := group.All() // Terminate empties the group
	kill := func() {
		for gw := range gateways {
			// Terminate says if there are survivors.
			_ = gw.Kill()
		}
	}
	ended := make(chan error, 1)
	patience, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	go func() { ended <- group.Terminate(patience) }()
	interrupted, late := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case err := <-ended:
			return err
		case <-interrupted:
			interrupted = nil
			late = time.After(Grace)
		case <-late:
			kill()
		case <-atOnce:
			atOnce = nil
			kill()
		}
	}
}
