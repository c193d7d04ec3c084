package main

import (
	"os"

	"github.com/kballard/go-shellquote"
)

// The sides in which pip's execnet is the driver.
const (
	drivesGo      = "execnet, Go worker"
	drivesPython  = "execnet, CPython"
	drivesPythons = "execnet, two CPythons"
)

// goWorkers compares Go programs as workers, with this module and with pip's execnet as driver.
func (b *bench) goWorkers() []measurement {
	small, large := make([]byte, smallItem), make([]byte, largeItem)
	comparisons := []measurement{
		comparison{
			name:   "echo round trip, Go to Go",
			figure: asTime,
			sides:  []side{b.goTasks.echo(small), b.rawGo.echo(frameSize)},
			goals:  []goal{{"ours", rawPipe, longer, 2}},
		},
		comparison{
			name:   "items of 10 bytes, Go to Go",
			figure: asRate,
			sides:  []side{b.goTasks.take(small), b.pip.side("take", small)},
			goals:  []goal{{"ours", "execnet", speed, 0}},
		},
		comparison{
			name:   "bytes of 1 MiB, Go to Go",
			figure: asThroughput(largeItem),
			sides:  []side{b.goTasks.take(large), b.rawGo.take(rawPipe, largeItem, false), b.rawGo.take(keepingPipe, largeItem, true)},
			goals:  []goal{{"ours", rawPipe, speed, 0.8}, {"ours", keepingPipe, speed, 0}},
		},
		comparison{
			name:   "bytes of 16 MiB, Go to Go",
			figure: asThroughput(hugeItem),
			sides:  []side{b.goTasks.take(make([]byte, hugeItem)), b.rawGo.take(rawPipe, hugeItem, false), b.rawGo.take(keepingPipe, hugeItem, true)},
			goals:  []goal{{"ours", rawPipe, speed, 0}, {"ours", keepingPipe, speed, 0}},
		},
	}
	comparisons = append(comparisons, givenBack("Go to Go", func(item []byte) side {
		return b.goTasks.taking("give back", item)
	}, b.rawGo.take)...)
	self, err := os.Executable()
	if err != nil {
		return comparisons
	}
	worker := "popen//python=" + shellquote.Join(self) + " worker//env:EXECNET_ENGINE=gpython"
	return append(comparisons,
		comparison{
			name:   "echo round trip, execnet driving",
			figure: asTime,
			sides:  []side{b.pip.asking(drivesGo, "echo_to", map[string]any{"spec": worker}), b.pip.asking(drivesPython, "echo_to", map[string]any{"spec": "popen"})},
			goals:  []goal{{drivesGo, drivesPython, speed, 0}},
		},
		comparison{
			name:   "words of 50 MB counted, execnet driving",
			figure: asTime,
			once:   true,
			share:  5,
			sides: []side{
				b.pip.asking(drivesGo, "words", map[string]any{"specs": []string{worker}, "native": true}),
				b.pip.asking(drivesPython, "words", map[string]any{"specs": []string{"popen"}, "native": false}),
				b.pip.asking(drivesPythons, "words", map[string]any{"specs": []string{"popen", "popen"}, "native": false}),
			},
			goals: []goal{{drivesGo, drivesPython, speed, 0}, {drivesGo, drivesPythons, speed, 0}},
		},
	)
}
