package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

func TestMain(m *testing.M) {
	if playsRole() {
		return
	}
	os.Exit(m.Run())
}

// Each fault is tried at least once on one of the roads that are drawn.
func TestAShortSoakFindsNothing(t *testing.T) {
	var out, log bytes.Buffer
	status := run([]string{"-minutes", "0.2"}, &out, &log)
	assert.Zero(t, status, "%s%s", out.String(), log.String())
	for _, f := range faults {
		assert.Contains(t, out.String(), "\n"+f.name+" ")
	}
	t.Log(out.String())
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-minutes", "many"}, {"-only", "nothing", "-road", "popen Go"}, {"-road", "nowhere"}} {
		assert.Equal(t, 2, run(args, io.Discard, io.Discard), args)
	}
}

func TestWhatIsWrongIsCountedAndFails(t *testing.T) {
	var log bytes.Buffer
	s := &soak{random: rand.New(rand.NewPCG(1, 2)), log: &log, roads: []road{{name: "here"}}, temporary: t.TempDir()}
	failing := fault{name: "failing", try: func(context.Context, *soak, *rand.Rand, road) (time.Duration, error) {
		return 3 * time.Second, errors.New("it broke")
	}}
	found := s.campaign(t.Context(), failing, 0)
	assert.Equal(t, row{fault: "failing", runs: 1, failures: 1, worst: 3 * time.Second}, found)
	assert.Contains(t, log.String(), "failing over here (run 1): it broke")
	var table bytes.Buffer
	assert.Equal(t, 1, printTable(&table, []row{{fault: "good", runs: 2}, found}))
	assert.Equal(t, "fault    runs  failures  worst latency  leaks\n"+
		"good     2     0         0s             0\n"+
		"failing  1     1         3s             0\n", table.String())
	assert.Zero(t, printTable(io.Discard, []row{{fault: "good"}}))
	assert.Equal(t, 1, printTable(io.Discard, []row{{fault: "leaking", leaks: []string{"1 goroutines"}}}))
}

func TestLeaksAreFound(t *testing.T) {
	s := &soak{log: io.Discard, temporary: t.TempDir()}
	before := s.count()
	stop := make(chan bool)
	for range 50 { // goroutines of an earlier test may end meanwhile
		go func() { <-stop }()
	}
	assert.NoError(t, os.WriteFile(s.temporary+"/left", nil, 0o600))
	if leaks := s.leaks(before); assert.Len(t, leaks, 2) {
		assert.Regexp(t, "^[0-9]+ goroutines$", leaks[0])
		assert.Equal(t, "1 temporary files", leaks[1])
	}
	close(stop)
	assert.NoError(t, os.Remove(s.temporary+"/left"))
	assert.Empty(t, s.leaks(before))
}

// What is sent broken is understood when it is whole: otherwise nothing would be tried.
func TestStreamsAreUnderstood(t *testing.T) {
	program, err := os.Executable()
	assert.NoError(t, err)
	s := &soak{program: program}
	stream := "\x03\x00\x00\x00\x01\x00\x00\x00\x23N\x00\x00\x00\x15channel.send([6 * 7])LLJ@\x00\x00\x00\x04Q"
	for _, w := range []road{{golang: true}, {python: pythons.Default(t).Path}} {
		cmd, firstLine := s.worker(w)
		cmd.Stdin = strings.NewReader(firstLine + stream)
		out, err := cmd.Output()
		assert.NoError(t, err)
		assert.Contains(t, string(out), "F\x00\x00\x00\x2aPQ")
	}
	cmd := s.reader()
	cmd.Stdin = strings.NewReader("\x06\x00\x00\x00\x21\x00\x00\x00\x0aN\x00\x00\x00\x04boomQ\x02\x00\x00\x00\x00\x00\x00\x00\x00")
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err)
	assert.Contains(t, string(out), "boom", "of a channel that it does not have")
	for seed := range uint64(100) {
		assert.NotEmpty(t, messages(rand.New(rand.NewPCG(seed, 0))))
	}
}

// An interruption ends a campaign at once, and what was under way does not count.
func TestInterruption(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	s := &soak{random: rand.New(rand.NewPCG(1, 2)), log: io.Discard, roads: []road{{name: "here"}}, temporary: t.TempDir()}
	endless := fault{name: "endless", try: func(ctx context.Context, _ *soak, _ *rand.Rand, _ road) (time.Duration, error) {
		interrupt()
		<-ctx.Done()
		return 0, ctx.Err()
	}}
	assert.Equal(t, row{fault: "endless"}, s.campaign(ctx, endless, time.Hour))
}
