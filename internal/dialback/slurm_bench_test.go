//go:build platforms && linux

package dialback_test

import (
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/slurm"
	"github.com/go-execnet/execnet/multi"
)

// BenchmarkSlurm measures the first results of 64 workers beside srun of 64 interpreters that do
// nothing, in turns. It reports the median of the rounds' ratios.
func BenchmarkSlurm(b *testing.B) {
	slurm.Start(b)
	python := pythons.Default(b).Path
	const tasks = 64
	for kind, far := range map[string]string{"python": "//python=" + python, "self": "//self"} {
		b.Run(kind, func(b *testing.B) {
			var ratios []float64
			var bare, ours time.Duration
			for b.Loop() {
				begin := time.Now()
				out, err := exec.Command("srun", fmt.Sprint("-n", tasks), python, "-c", "pass").CombinedOutput()
				if err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				once := time.Since(begin)
				took := firstResults(b, fmt.Sprint("slurm=", tasks, far))
				bare, ours = bare+once, ours+took
				ratios = append(ratios, took.Seconds()/once.Seconds())
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "times-srun")
			b.ReportMetric(bare.Seconds()/float64(b.N), "s-srun")
			b.ReportMetric(ours.Seconds()/float64(b.N), "s-ours")
		})
	}
}

// firstResults is how long a spec's workers take until each has given a value.
func firstResults(b *testing.B, spec string) time.Duration {
	g := multi.NewGroup()
	begin := time.Now()
	_, err := g.MakeGateways(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	channels, err := g.RemoteExec(b.Context(), "channel.send(1)")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := channels.ReceiveEach(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	if err := g.Terminate(b.Context()); err != nil {
		b.Fatal(err)
	}
	return took
}
