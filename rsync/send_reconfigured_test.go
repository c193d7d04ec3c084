//go:build unix

package rsync

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSendAfterReconfigure syncs over gateways on which text and bytes of Python 2 and 3 are taken
// for each other: that is a setting for the items of programs, and both halves' items are bytes.
func TestSendAfterReconfigure(t *testing.T) {
	source := t.TempDir()
	grow(t, source, nodes{"a": file("text"), "ünï\xff": file("\x00\xff"), "large": file(strings.Repeat("x", 400_000)), "d/l": link("../a"), "d/f": file("f")})
	plain := t.TempDir() // what the protocol of Python's execnet can send
	grow(t, plain, nodes{"a": file("text"), "ünï": file("\x00\xff"), "d/l": link("../a"), "d/f": file("f")})
	reference := farEnd{"reference", "popen//bootstrap=import//python=" + pythons.WithExecnet(t), true}
	ends := map[string]farEnd{"go": {name: "go"}, reference.name: reference}
	for _, p := range pythons.All(t) {
		end := farEnd{name: "python" + p.Version(), spec: p.Spec()}
		if p.Major == 2 {
			end.name = "python2"
		}
		ends[end.name] = end
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			source := source
			if end.reference {
				source = plain
			}
			gw := connect(t, end.spec)[0]
			for i := range 4 {
				require.NoError(t, gw.Reconfigure(within.Soon(t), gatewaybase.StrConfig{Py2StrAsPy3Str: i&1 != 0, Py3StrAsPy2Str: i&2 != 0}))
				dest := filepath.Join(t.TempDir(), fmt.Sprint("dést", i))
				grow(t, dest, nodes{"old": file("o"), "large": file(strings.Repeat("x", 399_999))})
				for _, policy := range []Delta{DeltaAlways, DeltaNever} {
					r := &RSync{Source: source, Delta: policy}
					require.NoError(t, r.AddTarget(gw, dest, TargetOptions{Delete: true}))
					require.NoError(t, r.Send(within.Soon(t)))
					require.Equal(t, end.view(t, source), end.view(t, dest))
				}
			}
		})
	}
}
