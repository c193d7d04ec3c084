package bootstrap

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
)

// silenceFactor is how many times as long the silence is at a notice as at the one before.
const silenceFactor = 6

// silenceLimit is how long a far end may give no answer before the first notice.
var silenceLimit = 10 * time.Second

// tellSilence writes a notice when a start has got no answer for some time, until stop is called.
// Some starts take long, and some will never have an answer; so it says what is waited for, and
// what may be wrong. It also says at once what cannot work.
func tellSilence(config gatewaybase.Config, called string) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		// Nobody waits for a writer that takes nothing.
		outlet := farend.NewOutlet(warnings(config))
		defer outlet.FlushSoon()
		if text := cmdline.SeveralTasks(config.Spec); text != "" {
			outlet.Offer(fmt.Appendf(nil, "execnet: gateway %s: %s\n", config.Spec.ID, text))
		}
		name := cmp.Or(called, fmt.Sprintf("%s (%s)", config.Spec.ID, config.Spec))
		begin := time.Now()
		for limit := silenceLimit; ; limit *= silenceFactor {
			timer := time.NewTimer(time.Until(begin.Add(limit)))
			select {
			case <-quit:
				timer.Stop()
				return
			case <-timer.C:
			}
			hint := cmdline.Hint(config.Spec, false)
			if hint != "" {
				hint = "; " + hint
			}
			outlet.Offer(fmt.Appendf(nil, "execnet: no answer from %s for %.0f s%s\n", name, limit.Seconds(), hint))
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// warnings is where notices go.
func warnings(config gatewaybase.Config) io.Writer {
	if config.Warnings == nil {
		return os.Stderr
	}
	return config.Warnings
}
