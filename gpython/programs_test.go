package gpython

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/programs"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// Without EXECNET_TEST_PROGRAMS the test runs these programs, which are the same each time.
const (
	firstSeed    = 1000
	fixedSeeds   = 150
	mostFailures = 10 // after so many different failures the test ends
	shrinkFor    = 20 * time.Second
)

// TestProgramsAreCPythons makes programs at random and compares what they print, and how they end,
// with CPython 3.11: a program that both accept may not differ. EXECNET_TEST_PROGRAMS says for how
// long it makes new ones ("make programs"). A failure shows the smallest program found that
// differs, and the seed, which EXECNET_TEST_PROGRAMS_SEED takes.
func TestProgramsAreCPythons(t *testing.T) {
	seed, most, end := uint64(firstSeed), fixedSeeds, time.Now().Add(time.Hour)
	if text := os.Getenv("EXECNET_TEST_PROGRAMS"); text != "" {
		limit, err := time.ParseDuration(text)
		require.NoError(t, err)
		seed, most, end = rand.Uint64()>>1, math.MaxInt, time.Now().Add(limit)
	}
	if text := os.Getenv("EXECNET_TEST_PROGRAMS_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		most = 1
	}
	p := programTest{programs.NewCPython(t, python311(t)), newWorker(t, nil), make(map[string]int)}
	count, refused, failures, rejected := 0, 0, 0, 0
	seen := make(map[string]bool)
	for ; count < most && time.Now().Before(end) && failures < mostFailures; seed++ {
		source := programs.New(seed)
		count++
		what := p.difference(t, source)
		switch what {
		case "":
		case differsRejected:
			rejected++
		case differsRefused:
			refused++
		default:
			begun := time.Now()
			small := programs.Shrink(source, func(source string) bool {
				if time.Since(begun) > shrinkFor {
					return false
				}
				now := p.difference(t, source)
				return now != "" && now != differsRefused && now != differsRejected
			})
			kind := p.difference(t, small)
			if kind == "" || kind == differsRejected {
				kind, small = "only sometimes, "+what, source
			}
			if !seen[kind] {
				seen[kind] = true
				failures++
				t.Errorf("seed %d differs from CPython: %s\n%s", seed, kind, small)
			}
		}
	}
	t.Logf("%d programs, of which gpython refused %d: %v", count, refused, p.refused)
	require.Less(t, refused*10, count+10, "gpython refuses more than a tenth of the programs: they say too little")
	require.Less(t, rejected*20, count+20, "CPython does not take, or end, more than a twentieth of the programs")
}

// What difference returns for programs that do not count: gpython does not take the source, or
// CPython does not, or not end it soon.
const (
	differsRefused  = "refused"
	differsRejected = "rejected"
)

// programTest runs programs in both interpreters.
type programTest struct {
	cpython *programs.CPython
	worker  worker
	refused map[string]int // how often a program was refused, by the reason
}

// tooLarge is what a MemoryError says here.
const tooLarge = "the result would be too large"

// leftUnclosed is what a program's error says of generators that have not been closed.
var leftUnclosed = regexp.MustCompile(`(\n?Beside that, |Traceback \(most recent call last\):\nNotImplementedError: )this Go worker's Python does not close generators .*`)

var addresses = regexp.MustCompile("0x[0-9a-f]{8,}")

// difference is how the two interpreters differ with a program, or "".
func (p *programTest) difference(t *testing.T, source string) string {
	want := p.cpython.Run(t, source)
	want.Printed = addresses.ReplaceAllString(want.Printed, "0x")
	if !want.Compiled {
		return differsRejected
	}
	got := p.run(t, source)
	got.Printed = addresses.ReplaceAllString(got.Printed, "0x")
	for _, text := range []*string{&got.Printed, &got.Error} { // CPython's has no text
		*text = strings.NewReplacer("MemoryError: "+tooLarge, "MemoryError", "MemoryError("+tooLarge, "MemoryError(").Replace(*text)
	}
	unclosed := false
	if text := leftUnclosed.ReplaceAllString(got.Error, ""); text != got.Error {
		unclosed, got.Error = true, text
	}
	switch {
	case unclosed && (got.Printed != want.Printed || !strings.HasSuffix("\n"+got.Error, "\n"+want.Error)):
		p.refused["generators that are dropped otherwise than by a loop"]++
		return differsRefused
	case !got.Compiled:
		_, reason, _ := strings.Cut(got.Error, "SyntaxError: ")
		reason, _, _ = strings.Cut(reason, "\n")
		p.refused[reason]++
		return differsRefused
	case got.Printed != want.Printed:
		a, b := strings.Split(want.Printed, "\n"), strings.Split(got.Printed, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				return fmt.Sprintf("line %d\nCPython: %s\nhere:    %s\n", i+1, a[i], b[i])
			}
		}
		return fmt.Sprintf("the number of lines\nCPython: %q\nhere:    %q (%s)\n", want.Printed, got.Printed, got.Error)
	case !strings.HasSuffix("\n"+got.Error, "\n"+want.Error):
		return fmt.Sprintf("the exception at the end\nCPython: %s\nhere:    %s\n", want.Error, got.Error)
	}
	return ""
}

// run runs a program with gpython. The Error is the whole traceback.
func (p *programTest) run(t *testing.T, source string) programs.Outcome {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ch, err := p.worker.RemoteExec(ctx, "import sys; sys.stdout = channel.makefile('w')\n"+source)
	require.NoError(t, err)
	var out strings.Builder
	for {
		item, err := ch.Receive(ctx)
		if err == nil {
			out.WriteString(item.(string))
			continue
		}
		o := programs.Outcome{Printed: out.String(), Compiled: true}
		var remote *gatewaybase.RemoteError
		switch {
		case errors.Is(err, io.EOF):
		case errors.As(err, &remote):
			o.Error = strings.TrimSpace(remote.Formatted)
			o.Compiled = strings.Contains(o.Error, ", in <module>")
		default:
			o.Error = err.Error()
			p.worker.interrupt()
			p.worker = newWorker(t, nil)
		}
		return o
	}
}

// python311 is the CPython that gpython is compared with: classes, generators and messages are
// those of this version.
func python311(t *testing.T) string {
	t.Helper()
	for _, p := range pythons.All(t) {
		if p.Version() == "3.11" {
			return p.Path
		}
	}
	t.Fatal("gpython is compared with CPython 3.11: install it, and list it in EXECNET_TEST_PYTHONS if that is set")
	return ""
}
