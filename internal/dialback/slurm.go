package dialback

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/cmdline"
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

// listenOf is where to listen for the workers of a spec. Slurm's run on other machines, so without
// listen= it is the address that the name of this one stands for.
func listenOf(spec *xspec.Spec) string {
	if spec.Listen != "" || spec.Kind() != xspec.KindSlurm {
		return spec.Listen
	}
	if name, err := os.Hostname(); err == nil {
		addresses, _ := net.LookupIP(name) // without any, the name does not help
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
