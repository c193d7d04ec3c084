package rsync

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// impostor is a worker that runs a function of the test instead of a receiving half.
type impostor struct {
	play    func(ch *gatewaybase.Channel)
	running sync.WaitGroup
}

func (i *impostor) Status() (int, string) { return 0, "thread" }

func (i *impostor) Execute(e *gatewaybase.Execution) {
	i.running.Go(func() {
		i.play(e.Channel)
		e.End(nil)
	})
}

// Finish waits for the executions at the worker's end.
func (i *impostor) Finish() { i.running.Wait() }

// pretend returns a gateway to an impostor.
func pretend(t *testing.T, keys string, play func(ch *gatewaybase.Channel)) *gatewaybase.Gateway {
	t.Helper()
	ours, theirs := pipes.Pair(t)
	return connected(t, keys, &impostor{play: play}, ours, theirs)
}

// ask makes a wants item.
func ask(wants ...want) []byte {
	b := []byte{wire.ItemWants}
	for _, w := range wants {
		b = binary.BigEndian.AppendUint32(b, w.entry)
		b = binary.BigEndian.AppendUint64(append(b, w.what), uint64(w.size))
	}
	return b
}

// hostileTree has a large file (entry 1) and a directory (entry 2).
func hostileTree(t *testing.T) string {
	t.Helper()
	source := filepath.Join(t.TempDir(), "source")
	grow(t, source, nodes{"a": file(strings.Repeat("a", 100_000)), "sub/b": file("b")})
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(source), "secret"), []byte("secret"), 0o600))
	return source
}

// A receiver that does not keep to the protocol gets an error and nothing but what it asked for
// rightly.
func TestHostileReceiver(t *testing.T) {
	const size = 100_000
	signs := func(entry, first uint32, n int) []byte {
		b := binary.BigEndian.AppendUint32(wire.EntryItem(wire.ItemSignatures, entry), first)
		return append(b, make([]byte, n*wire.SignatureSize)...)
	}
	digestItem := func(entry uint32) []byte {
		return append(wire.EntryItem(wire.ItemDigests, entry), make([]byte, wire.DigestSize)...)
	}
	for name, test := range map[string]struct {
		items []any
		want  string
	}{
		"text":                      {[]any{"wants"}, "no byte string"},
		"nothing":                   {[]any{[]byte{}}, "no byte string"},
		"too much":                  {[]any{make([]byte, wire.MaxItem+1)}, "no byte string"},
		"unknown kind":              {[]any{[]byte("?")}, "unknown kind"},
		"a driver's item":           {[]any{[]byte{wire.ItemFinish}}, "unknown kind"},
		"other version":             {[]any{[]byte{wire.ItemWelcome, 0, 2, 0, 0, 0, 0}}, "version 2"},
		"short hello":               {[]any{[]byte{wire.ItemWelcome, 0}}, "wrong length"},
		"entry beyond the tree":     {[]any{ask(want{99, wire.WantContent, 0})}, "not asked about"},
		"a directory":               {[]any{ask(want{2, wire.WantContent, 0})}, "is no file"},
		"the root":                  {[]any{ask(want{0, wire.WantContent, 0})}, "is no file"},
		"twice the same":            {[]any{ask(want{1, wire.WantContent, 0}, want{1, wire.WantContent, 0})}, "not asked about"},
		"no entry":                  {[]any{ask(want{wire.NoEntry, wire.WantContent, 0})}, "not asked about"},
		"unknown want":              {[]any{ask(want{1, 9, 0})}, "unknown want"},
		"impossible size":           {[]any{ask(want{1, wire.WantDiffers, 1 << 60})}, "impossible size"},
		"negative size":             {[]any{ask(want{1, wire.WantDiffers, -1})}, "impossible size"},
		"check of other size":       {[]any{ask(want{1, wire.WantCheck, 5})}, "another size"},
		"half a want":               {[]any{ask(want{1, wire.WantContent, 0})[:7]}, "wrong length"},
		"too many answers":          {[]any{ask(), ask(), ask()}, "no question"},
		"digest of no check":        {[]any{ask(), digestItem(1)}, "digests that do not fit"},
		"half a digest":             {[]any{ask(want{1, wire.WantCheck, size}), digestItem(1)[:20]}, "digests that do not fit"},
		"digest twice":              {[]any{ask(want{1, wire.WantCheck, size}), append(digestItem(1), digestItem(1)[1:]...)}, "digests that do not fit"},
		"signatures unasked":        {[]any{ask(), signs(1, 0, 1)}, "signatures that do not fit"},
		"signatures of nothing":     {[]any{ask(want{1, wire.WantContent, 0}), signs(1, 0, 1)}, "signatures that do not fit"},
		"signatures of wrong block": {[]any{ask(want{1, wire.WantDiffers, size}), signs(1, 5, 1)}, "signatures that do not fit"},
		"too many signatures":       {[]any{ask(want{1, wire.WantDiffers, size}), signs(1, 0, 100)}, "signatures that do not fit"},
		"again unsent":              {[]any{ask(), wire.EntryItem(wire.ItemAgain, 1)}, "again"},
		"again of traversal":        {[]any{wire.EntryItem(wire.ItemAgain, 1<<31)}, "again"},
		"acknowledges too much":     {[]any{append([]byte{wire.ItemAck}, 0, 0, 0, 1, 0, 0, 0, 0)}, "acknowledgement"},
		"short ack":                 {[]any{[]byte{wire.ItemAck, 1}}, "wrong length"},
		"zeros":                     {[]any{make([]byte, 65)}, "unknown kind"},
		"end before all is sent":    {[]any{append([]byte{wire.ItemEnd}, make([]byte, 8*wire.Statistics)...)}, "before everything was sent"},
		"impossible statistics":     {[]any{append([]byte{wire.ItemEnd}, strings.Repeat("\xff", 8*wire.Statistics)...)}, "impossible statistics"},
		"error without form":        {[]any{[]byte{wire.ItemError, 1, 0, 0, 0, 0, 'x'}}, "wrong form"},
		"unknown severity":          {[]any{[]byte{wire.ItemError, 7, 0, 0, 0, 0, 'x', 0, 'y'}}, "unknown severity"},
		"fatal":                     {[]any{append([]byte{wire.ItemError, 2, 0, 0, 0, 0}, "sub/b\x00ENOSPC: full\x1b[2J"...)}, `ENOSPC: full\x1b[2J`},
		"silence":                   {[]any{ask(want{1, wire.WantDiffers, size})}, "no progress"},
		"leaves":                    {nil, "ended too early"},
	} {
		t.Run(name, func(t *testing.T) {
			source := hostileTree(t)
			var got []string
			done := make(chan struct{})
			gw := pretend(t, "", func(ch *gatewaybase.Channel) {
				defer close(done)
				for _, want := range []byte{wire.ItemHello, wire.ItemTree} {
					v, err := ch.Receive(within.Soon(t))
					if !assert.NoError(t, err) || !assert.Equal(t, want, v.([]byte)[0]) {
						return
					}
				}
				for _, item := range test.items {
					if ch.Send(t.Context(), item) != nil {
						return
					}
				}
				if test.items == nil {
					return
				}
				for v := range ch.Items(within.Soon(t)) {
					if b, ok := v.([]byte); ok {
						got = append(got, string(b))
					}
				}
			})
			r := &RSync{Source: source, Delta: DeltaAlways}
			require.NoError(t, r.AddTarget(gw, "dest", TargetOptions{}))
			if name == "silence" {
				r.StallTimeout = 200 * time.Millisecond
			}
			err := r.Send(within.Soon(t))
			var failed *TargetError
			require.ErrorAs(t, err, &failed)
			require.ErrorContains(t, err, test.want)
			<-done
			for _, item := range got {
				require.NotContains(t, item, "secret")
				if name != "signatures of nothing" { // which may have got what it did ask for
					require.NotEqual(t, byte(wire.ItemContents), item[0])
				}
			}
		})
	}
}

// The requests of Python's receiving half name paths, which a driver has to check.
func TestHostileReferenceReceiver(t *testing.T) {
	for name, test := range map[string]struct {
		item any
		want string
	}{
		"traversal":    {serializer.Tuple{"send", serializer.Tuple{[]any{"..", "secret"}, nil}}, "not announced"},
		"absolute":     {serializer.Tuple{"send", serializer.Tuple{[]any{"/etc/passwd"}, nil}}, "not announced"},
		"directory":    {serializer.Tuple{"send", serializer.Tuple{[]any{"sub"}, nil}}, "not announced"},
		"root":         {serializer.Tuple{"send", serializer.Tuple{[]any{}, nil}}, "not announced"},
		"empty name":   {serializer.Tuple{"send", serializer.Tuple{[]any{"", "a"}, nil}}, "no text"},
		"no name":      {serializer.Tuple{"send", serializer.Tuple{[]any{5}, nil}}, "no text"},
		"no path":      {serializer.Tuple{"send", 5}, "no pair"},
		"bad checksum": {serializer.Tuple{"send", serializer.Tuple{[]any{"a"}, "x"}}, "checksum"},
		"no tuple":     {"send", "instead of a pair"},
		"unknown":      {serializer.Tuple{"give", nil}, "out of turn"},
		"ack":          {serializer.Tuple{"ack", "a"}, "out of turn"},
		"links":        {serializer.Tuple{"links", nil}, "out of turn"},
		"done":         {serializer.Tuple{"done", nil}, "out of turn"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []any
			done := make(chan struct{})
			gw := pretend(t, "//bootstrap=import", func(ch *gatewaybase.Channel) {
				defer close(done)
				for range 3 { // the start, the top and the first file
					if _, err := ch.Receive(within.Soon(t)); !assert.NoError(t, err) {
						return
					}
				}
				if ch.Send(t.Context(), test.item) != nil {
					return
				}
				for v := range ch.Items(within.Soon(t)) {
					got = append(got, v)
				}
			})
			r := New(hostileTree(t))
			require.NoError(t, r.AddTarget(gw, "dest", TargetOptions{}))
			err := r.Send(within.Soon(t))
			var wrong *ProtocolError
			require.ErrorAs(t, err, &wrong)
			require.ErrorContains(t, err, test.want)
			<-done
			for _, v := range got {
				_, content := v.([]byte)
				require.False(t, content, "%q", v)
			}
		})
	}
}

// A receiver that reads nothing is given up, and the others have the tree long before.
func TestStalledTarget(t *testing.T) {
	source, good := t.TempDir(), t.TempDir()
	grow(t, source, nodes{"a": file(strings.Repeat("a", 5<<20)), "b/c": file("c")})
	leave := make(chan struct{})
	silent := pretend(t, "", func(ch *gatewaybase.Channel) { <-leave })
	slow := pretend(t, "", func(ch *gatewaybase.Channel) {
		// It answers the tree and then acknowledges nothing.
		for v := range ch.Items(context.Background()) {
			if b := v.([]byte); b[0] == wire.ItemTree {
				if ch.Send(t.Context(), ask(want{1, wire.WantContent, 0})) != nil {
					return
				}
			}
		}
	})
	reference := pretend(t, "//bootstrap=import", func(ch *gatewaybase.Channel) { <-leave })
	finished := false
	r := &RSync{Source: source, StallTimeout: 500 * time.Millisecond}
	require.NoError(t, r.AddTarget(silent, "dest", TargetOptions{}))
	require.NoError(t, r.AddTarget(slow, "dest", TargetOptions{}))
	require.NoError(t, r.AddTarget(reference, "dest", TargetOptions{}))
	require.NoError(t, r.AddTarget(goReceivers(t), good, TargetOptions{Finished: func() { finished = true }}))
	err := r.Send(within.Soon(t))
	close(leave)
	var stalled *StallError
	require.ErrorAs(t, err, &stalled)
	require.True(t, stalled.Timeout())
	results := r.Results()
	require.ErrorAs(t, results[0].Err, &stalled)
	require.ErrorAs(t, results[1].Err, &stalled)
	require.ErrorAs(t, results[2].Err, &stalled)
	require.NoError(t, results[3].Err)
	require.True(t, finished)
	require.Equal(t, survey(t, source, exactly), survey(t, good, exactly))
}

// slowPipe is a far end that takes 64 KiB at a time, ten times a second.
type slowPipe struct{ pipes.End }

func (p *slowPipe) Read(b []byte) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return p.End.Read(b[:min(len(b), 64<<10)])
}

// TestSlowTargetIsNotGivenUp has items on their way for longer than a target may show no sign of
// life.
func TestSlowTargetIsNotGivenUp(t *testing.T) {
	for _, keys := range []string{"", "//bootstrap=import"} {
		source, dest := t.TempDir(), t.TempDir()
		grow(t, source, nodes{"a": file(string(noise(1, 2<<20)))})
		ours, theirs := pipes.Pair(t)
		gw := connected(t, keys, &receivers{}, ours, &slowPipe{theirs.End})
		r := &RSync{Source: source, StallTimeout: time.Second, Delta: DeltaNever}
		require.NoError(t, r.AddTarget(gw, dest, TargetOptions{}))
		require.NoError(t, r.Send(within.Soon(t)))
		require.Equal(t, survey(t, source, keys != ""), survey(t, dest, keys != ""))
		require.Equal(t, Stats{Files: 1, Literal: 2 << 20}, r.Results()[0].Stats)
	}
}

// TestResultOfTargetThatEndsEarly tells what a target has acknowledged before it fails.
func TestResultOfTargetThatEndsEarly(t *testing.T) {
	source := t.TempDir()
	grow(t, source, nodes{"a": file(string(noise(1, 1<<20))), "b": file("b"), "c": file("c")})
	gw := pretend(t, "", func(ch *gatewaybase.Channel) {
		dealt := uint64(0)
		for v := range ch.Items(within.Soon(t)) {
			switch b := v.([]byte); b[0] {
			case wire.ItemTree:
				_ = ch.Send(t.Context(), ask(want{1, wire.WantContent, 0}, want{2, wire.WantContent, 0}, want{3, wire.WantContent, 0}))
			case wire.ItemContents:
				dealt += uint64(len(b))
			case wire.ItemFinish:
				_ = ch.Send(t.Context(), binary.BigEndian.AppendUint64([]byte{wire.ItemAck}, dealt))
				return
			}
		}
	})
	r := &RSync{Source: source, Delta: DeltaNever}
	require.NoError(t, r.AddTarget(gw, "dest", TargetOptions{}))
	require.Error(t, r.Send(within.Soon(t)))
	require.Equal(t, Stats{Files: 3, Literal: 1<<20 + 2}, r.Results()[0].Stats)
}
