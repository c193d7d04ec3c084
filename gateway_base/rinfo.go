package gatewaybase

import (
	"cmp"
	"context"
	"fmt"

	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// RInfo describes the interpreter, or the Go worker, at the far end. It is execnet's RInfo.
type RInfo struct {
	Executable  string      `execnet:"executable"`   // sys.executable
	VersionInfo VersionInfo `execnet:"version_info"` // sys.version_info
	Platform    string      `execnet:"platform"`     // sys.platform
	CWD         string      `execnet:"cwd"`          // os.getcwd()
	PID         int         `execnet:"pid"`          // os.getpid()
	// WorkerVersion is the version of this module in a Go worker that runs Python source by itself,
	// such as "v1.2.3"; it is empty if a Python has answered.
	WorkerVersion string `execnet:"worker_version"`
}

// VersionInfo is Python's sys.version_info.
type VersionInfo struct {
	Major, Minor, Micro int
	ReleaseLevel        string // "alpha", "beta", "candidate" or "final"
	Serial              int
}

// UnmarshalExecnet reads the five elements of sys.version_info.
func (v *VersionInfo) UnmarshalExecnet(value any) error {
	parts, _ := value.(serializer.Tuple)
	if len(parts) != 5 {
		return fmt.Errorf("sys.version_info has 5 elements; got %v", value)
	}
	numbers := [4]*int{&v.Major, &v.Minor, &v.Micro, &v.Serial}
	for i, p := range [4]any{parts[0], parts[1], parts[2], parts[4]} {
		n, ok := p.(int64)
		if !ok {
			return fmt.Errorf("sys.version_info holds %v, which is no int", p)
		}
		*numbers[i] = int(n)
	}
	var ok bool
	if v.ReleaseLevel, ok = parts[3].(string); !ok {
		return fmt.Errorf("sys.version_info holds %v, which is no str", parts[3])
	}
	return nil
}

// String is the version as Python prints it: "3.13.0", "3.15.0a2".
func (v VersionInfo) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Micro)
	if suffix := map[string]string{"alpha": "a", "beta": "b", "candidate": "rc"}[v.ReleaseLevel]; suffix != "" {
		s += fmt.Sprintf("%s%d", suffix, v.Serial)
	}
	return s
}

// Compare orders versions by major, minor and micro number.
func (v VersionInfo) Compare(w VersionInfo) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Micro, w.Micro))
}

const rinfoSource = `
import os, sys
channel.send({
    "executable": sys.executable, "version_info": tuple(sys.version_info), "platform": sys.platform,
    "cwd": os.getcwd(), "pid": os.getpid()})
`

// rinfoCache keeps the answer of RInfo. Who has put a value into asking asks the far end, so that
// it is asked once, and the others wait.
type rinfoCache struct {
	asking chan struct{} // room for one
	info   *RInfo        // guarded by asking
}

// RInfo asks the far end for its description, once; later calls return the first answer. It is
// execnet's Gateway._rinfo.
func (g *Gateway) RInfo(ctx context.Context) (RInfo, error) {
	select {
	case g.rinfo.asking <- struct{}{}:
		defer func() { <-g.rinfo.asking }()
	case <-ctx.Done():
		return RInfo{}, timeout.During(ctx, "asking gateway "+g.id+" for its RInfo")
	}
	if g.rinfo.info != nil {
		return *g.rinfo.info, nil
	}
	ch, err := g.start(ctx, &task{source: rinfoSource, own: true})
	if err != nil {
		return RInfo{}, err
	}
	var info RInfo
	if err := ch.ReceiveInto(ctx, &info); err != nil {
		return RInfo{}, err
	}
	if err := ch.WaitClose(ctx); err != nil {
		return RInfo{}, err
	}
	g.rinfo.info = &info
	return info, nil
}

// RemoteStatus describes what the far end is doing. It is execnet's RemoteStatus.
type RemoteStatus struct {
	NumChannels  int    `execnet:"numchannels"`  // channels that are open there
	NumExecuting int    `execnet:"numexecuting"` // sources that are being executed
	ExecModel    string `execnet:"execmodel"`    // one of xspec.ExecModels
}

// RemoteStatus asks the far end how many channels and executions it has. The answer comes at once,
// even while source is being executed. It is execnet's Gateway.remote_status.
func (g *Gateway) RemoteStatus(ctx context.Context) (RemoteStatus, error) {
	var status RemoteStatus
	ch, err := g.newChannel()
	if err != nil {
		return status, err
	}
	// The far end makes no channel of this id, so it has nothing to close.
	defer func() {
		g.table.remove(ch.core)
		ch.core.end(ending{})
	}()
	ch.useDefaultStrings()
	if err := g.send(ctx, codeStatus, ch.core.id, newFrame()); err != nil {
		return status, err
	}
	err = ch.ReceiveInto(ctx, &status)
	return status, err
}
