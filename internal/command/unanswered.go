package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/xspec"
)

// shownUnanswered is how many gateways a message names.
const shownUnanswered = 5

// unanswered knows which gateways of a command give no answer.
type unanswered struct {
	mu    sync.Mutex // guards specs
	specs []*xspec.Spec
}

// making returns make, which makes a gateway, with a note of its answer.
func (u *unanswered) making(make func(context.Context, *xspec.Spec) (*gatewaybase.Gateway, error)) func(context.Context, *xspec.Spec) (*gatewaybase.Gateway, error) {
	return func(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
		gw, err := make(ctx, spec)
		if err == nil || ctx.Err() == nil { // otherwise there was no answer when ctx ended
			u.mu.Lock()
			u.specs = slices.DeleteFunc(u.specs, func(s *xspec.Spec) bool { return s == spec })
			u.mu.Unlock()
		}
		return gw, err
	}
}

// text names the gateways behind a semicolon, with a reason where one is known. It is "" if all
// have answered.
func (u *unanswered) text() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.specs) == 0 {
		return ""
	}
	var names []string
	hint := ""
	for i, spec := range u.specs {
		if i == shownUnanswered {
			names = append(names, fmt.Sprintf("%d more", len(u.specs)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", spec.ID, spec))
		if known := cmdline.Hint(spec, false); hint == "" && known != "" {
			hint = "; " + known
		}
	}
	return "; no answer from " + strings.Join(names, ", ") + hint
}
