package dialback

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/xspec"
)

// srun is Slurm's command that starts the workers of a slurm= spec: all of them as one step, whose
// tasks end one by one.
func srun(spec *xspec.Spec) ([]string, error) {
	words := []string{"srun", fmt.Sprintf("--ntasks=%d", spec.Slurm), "--input=none", "--kill-on-bad-exit=0", "--wait=0"}
	if os.Getenv("SLURM_JOB_ID") != "" {
		// Otherwise the step waits for the processors that another step of the job has, as this
		// process itself may be one.
		words = append(words, "--overlap")
	}
	for _, option := range []struct{ name, value string }{
		{"nodes", spec.Nodes}, {"partition", spec.Partition}, {"time", spec.Time}, {"gpus", spec.GPUs}, {"account", spec.Account},
	} {
		if option.value != "" {
			words = append(words, "--"+option.name+"="+option.value)
		}
	}
	more, err := cmdline.Split(spec.Srun)
	if err != nil {
		return nil, &cmdline.StartError{Args: []string{spec.Srun}, Source: "srun= in the spec", Err: err}
	}
	return append(words, more...), nil
}

// lookupTime is how long it may take to find what the name of this machine stands for.
const lookupTime = 3 * time.Second

// listenOf is where to listen for the workers of a spec. Slurm's run on other machines, so without
// listen= it is the address that the name of this one stands for.
func listenOf(spec *xspec.Spec) string {
	if spec.Listen != "" || spec.Kind() != xspec.KindSlurm {
		return spec.Listen
	}
	if name, err := os.Hostname(); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
		defer cancel()
		// Without any, the name does not help.
		addresses, _ := net.DefaultResolver.LookupIP(ctx, "ip", name)
		for _, address := range addresses {
			if address.IsGlobalUnicast() {
				return address.String()
			}
		}
	}
	own, err := ownAddress()
	if err != nil {
		return "" // a cluster of this machine alone is left
	}
	return own
}

// queued is what srun prints while its job waits.
var queued = regexp.MustCompile(`srun: job ([0-9]+) queued`)

// squeueTime is how long squeue may take.
const squeueTime = 3 * time.Second

// whyQueued says why a job is not running yet, as Slurm does. It is "" if nobody knows.
func whyQueued(printed string) string {
	said := queued.FindStringSubmatch(printed)
	if said == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), squeueTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "squeue", "--noheader", "--format=%T: %r", "--jobs="+said[1]).Output()
	state := strings.TrimSpace(string(out))
	if err != nil || state == "" {
		return ""
	}
	return fmt.Sprintf("; Slurm says of job %s: %s", said[1], state)
}

// watched is where what a launcher prints goes: to, and for Slurm what looks for lost nodes.
func (l *Launch) watched(to io.Writer) io.Writer {
	if l.spec.Kind() != xspec.KindSlurm {
		return to
	}
	return &srunOutput{to: l.outlet, lost: l.loseNode}
}

// srunOutput passes on what srun prints, and calls lost for each node that Slurm has lost. It never
// waits for the user's writer, because what srun says next may be that a node is lost.
type srunOutput struct {
	to   *farend.Outlet
	lost func(node string)
	line []byte // the beginning of a line
}

// longestNotice bounds the lines that are looked at.
const longestNotice = 1 << 10

var nodeFailure = regexp.MustCompile(`^srun: error: Node failure on (\S+)$`)

// Write implements io.Writer.
func (o *srunOutput) Write(b []byte) (int, error) {
	for _, c := range b {
		if c != '\n' {
			if len(o.line) < longestNotice {
				o.line = append(o.line, c)
			}
			continue
		}
		if found := nodeFailure.FindSubmatch(o.line); found != nil {
			o.lost(string(found[1]))
		}
		o.line = o.line[:0]
	}
	o.to.Offer(b)
	return len(b), nil
}

// loseNode gives the workers of a node up. Slurm counts the node as lost, but if it hangs or is cut
// off, its connections stand.
func (l *Launch) loseNode(node string) {
	for _, w := range l.arrivedWorkers() {
		if w.node == node {
			w.lose("Slurm has lost its node " + node)
		}
	}
}

// arrivedWorkers are the workers that have come.
func (l *Launch) arrivedWorkers() (all []*Worker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.workers {
		if w != nil {
			all = append(all, w)
		}
	}
	return all
}

// awaitEnding waits until the launch has to end. When srun has ended, so have its workers: if one
// still has a connection some time later, its node does not answer, and it is given up.
func (l *Launch) awaitEnding() {
	var ended <-chan struct{}
	if l.spec.Kind() == xspec.KindSlurm {
		ended = l.launcher.ended
	}
	select {
	case <-l.ending:
		return
	case <-ended:
	}
	timer := time.NewTimer(l.limits.leave)
	defer timer.Stop()
	select {
	case <-l.ending:
		return
	case <-timer.C:
	}
	for _, w := range l.arrivedWorkers() {
		w.lose("srun has ended, and the connection still stood")
	}
	<-l.ending
}
