//go:build unix

package rsync

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// referenceDriver is a program for pip's execnet: it syncs what each line of its stdin asks for,
// and answers each with a line of its own.
const referenceDriver = `
import json, sys, os, io, contextlib
import execnet

gateways = {}

def sync(order):
    events, printed = [], io.StringIO()

    class Sync(execnet.RSync):
        def filter(self, path):
            return not path.endswith(order["without"])

    def callback(what, n, channel):
        events.append([what, n])

    sync = Sync(order["source"], callback=callback if order["callback"] else None, verbose=True)
    for spec, destination in order["targets"]:
        if spec not in gateways:
            gateways[spec] = execnet.makegateway(spec)
        options = {"delete": True} if order["delete"] else {}
        sync.add_target(gateways[spec], destination, finishedcallback=lambda: events.append(["finished", 0]), **options)
    error = ""
    try:
        with contextlib.redirect_stdout(printed):
            sync.send()
    except Exception as e:
        error = "%s: %s" % (type(e).__name__, e)
    return {"error": error, "events": events, "printed": printed.getvalue()}

for line in sys.stdin:
    print(json.dumps(sync(json.loads(line))), flush=True)
`

// order is what one line to referenceDriver asks for.
type order struct {
	Source  string      `json:"source"`
	Targets [][2]string `json:"targets"` // spec and destination
	Delete  bool        `json:"delete"`
	Without string      `json:"without"` // a suffix that the filter refuses
	// Callback has the callback's calls in the outcome. The reference fails (KeyError) when it has
	// one and no target asks for anything.
	Callback bool `json:"callback"`
}

type outcome struct {
	Error   string   `json:"error"`
	Events  [][2]any `json:"events"`
	Printed string   `json:"printed"`
}

// driver runs referenceDriver.
type driver struct {
	t   *testing.T
	in  *json.Encoder
	out *json.Decoder
}

// goWorker is the spec of this test binary as a worker, for a driver that startDriver started.
func goWorker(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return "popen//python=" + self
}

func startDriver(t *testing.T) *driver {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, pythons.WithExecnet(t), "-c", referenceDriver)
	cmd.Env = append(os.Environ(), workerVariable+"=1", "PYTHONUTF8=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		assert.NoError(t, cmd.Wait())
	})
	return &driver{t, json.NewEncoder(in), json.NewDecoder(out)}
}

func (d *driver) sync(j order) outcome {
	d.t.Helper()
	if j.Without == "" {
		j.Without = "nothing ends so"
	}
	require.NoError(d.t, d.in.Encode(j))
	var o outcome
	require.NoError(d.t, d.out.Decode(&o))
	return o
}

func (o outcome) count(event string) (times int, sum float64) {
	for _, e := range o.Events {
		if e[0] == event {
			times++
			sum += e[1].(float64)
		}
	}
	return times, sum
}

func TestReferenceDriverSyncsEveryShape(t *testing.T) {
	for _, withDelete := range []bool{false, true} {
		source, ours, theirs := filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), "o"), filepath.Join(t.TempDir(), "t")
		d := startDriver(t)
		for _, shape := range shapes {
			grow(t, source, shape.tree)
			targets := [][2]string{{goWorker(t), ours}, {"popen", theirs}}
			if shape.name == "exchanged" || shape.name == "modes again" {
				// The reference's own half opens a read-only folder's files in vain, or fails on
				// what is in the way.
				targets = targets[:1]
			}
			o := d.sync(order{Source: source, Targets: targets, Delete: withDelete})
			require.Empty(t, o.Error, shape.name)
			finished, _ := o.count("finished")
			assert.Len(t, targets, finished)
			got, want := survey(t, ours, loosely), survey(t, source, loosely)
			if withDelete {
				assert.Equal(t, want, got, shape.name)
			} else {
				for line := range strings.Lines(want) {
					if !strings.HasPrefix(line, `"." `) {
						assert.Contains(t, got, line, shape.name)
					}
				}
			}
			o = d.sync(order{Source: source, Targets: targets[:1], Delete: withDelete})
			require.Empty(t, o.Error, shape.name)
			assert.Empty(t, o.Printed, "nothing changed: "+shape.name)
		}
	}
}

func TestReferenceDriverIsTold(t *testing.T) {
	source, destination := t.TempDir(), filepath.Join(t.TempDir(), "new/deep")
	grow(t, source, nodes{"a": file("12345"), "sub/b": file("123"), "skip.o": file("o"), "l": link("a")})
	d := startDriver(t)
	o := d.sync(order{Source: source, Targets: [][2]string{{goWorker(t), destination}}, Without: ".o", Callback: true})
	require.Empty(t, o.Error)
	lists, total := o.count("list")
	assert.Equal(t, 1, lists)
	assert.Equal(t, 8.0, total)
	acks, total := o.count("ack")
	assert.Equal(t, 2, acks)
	assert.Equal(t, 8.0, total)
	assert.Contains(t, o.Printed, "<= sub/b")
	assert.NoFileExists(t, filepath.Join(destination, "skip.o"))

	// Another time of the same content is told by its checksum, and nothing is sent.
	require.NoError(t, os.Chtimes(filepath.Join(source, "a"), time.Time{}, time.Unix(99, 0)))
	o = d.sync(order{Source: source, Targets: [][2]string{{goWorker(t), destination}}, Without: ".o"})
	require.Empty(t, o.Error)
	assert.Empty(t, o.Printed)
	info, err := os.Stat(filepath.Join(destination, "a"))
	require.NoError(t, err)
	assert.Equal(t, int64(99), info.ModTime().Unix())
}

func TestReferenceDriverSyncsOneFile(t *testing.T) {
	base := t.TempDir()
	source, destination := filepath.Join(base, "s"), filepath.Join(base, "d/file")
	require.NoError(t, os.WriteFile(source, []byte("alone"), 0o640))
	d := startDriver(t)
	o := d.sync(order{Source: source, Targets: [][2]string{{goWorker(t), destination}}})
	require.Empty(t, o.Error)
	content, err := os.ReadFile(destination)
	require.NoError(t, err)
	assert.Equal(t, "alone", string(content))

	folder := filepath.Join(base, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "precious"), 0o755))
	o = d.sync(order{Source: source, Targets: [][2]string{{goWorker(t), folder}}})
	assert.Contains(t, o.Error, "is a directory, but the source is a file")
	assert.DirExists(t, filepath.Join(folder, "precious"))
}

func TestReferenceDriverHearsOfErrors(t *testing.T) {
	base := t.TempDir()
	source, destination := filepath.Join(base, "s"), filepath.Join(base, "f", "d")
	require.NoError(t, os.WriteFile(filepath.Join(base, "f"), nil, 0o600))
	grow(t, source, nodes{"a": file("A")})
	o := startDriver(t).sync(order{Source: source, Targets: [][2]string{{goWorker(t), destination}}})
	assert.Contains(t, o.Error, "RemoteError")
	assert.Contains(t, o.Error, filepath.Join(base, "f"))
	assert.Contains(t, o.Error, "not a directory")
}

// A driver that is still sending must not find its channel closed: it would report that and not the
// reason.
func TestReferenceReceiverTakesWhatWasBegun(t *testing.T) {
	mode, fileItem := int64(0o40755), serializer.Tuple{int64(0o100644), 1.0, int64(1)}
	type driving struct {
		*testing.T
		ch *gatewaybase.Channel
	}
	begin := func(t *testing.T, destination string, items ...any) driving {
		ch, err := goReceivers(t).RemoteExec(t.Context(), "def serve_rsync(channel): pass")
		require.NoError(t, err)
		require.NoError(t, ch.Reconfigure(t.Context(), gatewaybase.StrConfig{}))
		require.NoError(t, ch.Send(t.Context(), serializer.Tuple{destination, map[string]any{}}))
		for _, item := range items {
			require.NoError(t, ch.Send(t.Context(), item))
		}
		return driving{t, ch}
	}
	hear := func(d driving, what ...string) {
		for _, want := range what {
			item, err := d.ch.Receive(within.Soon(d.T))
			require.NoError(d, err)
			require.Equal(d, want, item.(serializer.Tuple)[0])
		}
	}
	endsWith := func(d driving, last any, problem string) {
		ctx, cancel := context.WithTimeout(within.Soon(d.T), 300*time.Millisecond)
		defer cancel()
		_, err := d.ch.Receive(ctx)
		require.ErrorIs(d, err, context.DeadlineExceeded, "not before the driver has sent all")
		require.NoError(d, d.ch.Send(d.Context(), last))
		_, err = d.ch.Receive(within.Soon(d.T))
		var remote *gatewaybase.RemoteError
		require.ErrorAs(d, err, &remote)
		assert.Contains(d, remote.Error(), problem)
	}
	t.Run("tree", func(t *testing.T) {
		blocked := filepath.Join(t.TempDir(), "f")
		require.NoError(t, os.WriteFile(blocked, nil, 0o600))
		d := begin(t, filepath.Join(blocked, "d"), []any{mode, "a", "b"}, []any{mode})
		endsWith(d, fileItem, "not a directory")
	})
	t.Run("requested before", func(t *testing.T) {
		destination := t.TempDir()
		d := begin(t, destination, []any{mode, "a", "b"}, fileItem)
		hear(d, "send")
		require.NoError(t, os.Remove(destination))
		require.NoError(t, d.ch.Send(t.Context(), []any{mode}))
		endsWith(d, []byte("A"), "no such file")
	})
	t.Run("contents", func(t *testing.T) {
		destination := t.TempDir()
		d := begin(t, destination, []any{mode, "a", "b"}, fileItem, fileItem)
		hear(d, "send", "send", "list_done")
		require.NoError(t, os.Remove(destination))
		require.NoError(t, d.ch.Send(t.Context(), []byte("A")))
		hear(d, "ack")
		endsWith(d, []byte("B"), "no such file")
	})
	t.Run("links", func(t *testing.T) {
		destination := t.TempDir()
		d := begin(t, destination, []any{mode, "a"}, nil)
		hear(d, "list_done", "links")
		require.NoError(t, os.Remove(destination))
		require.NoError(t, d.ch.Send(t.Context(), serializer.Tuple{"link", "a", "x"}))
		endsWith(d, int64(42), "no such file")
	})
}

// TestTwoReferenceDriversAtOnce has two drivers of Python's execnet sync different trees into one
// place at the same time, with Go workers.
func TestTwoReferenceDriversAtOnce(t *testing.T) {
	base := t.TempDir()
	dest := filepath.Join(base, "dest")
	drivers := []*driver{startDriver(t), startDriver(t)}
	for round := range 10 {
		known := map[string]bool{}
		outcomes := make([]outcome, len(drivers))
		var running sync.WaitGroup
		for i, d := range drivers {
			source, tree := filepath.Join(base, fmt.Sprint(i)), nodes{}
			for n := range 60 {
				name := fmt.Sprintf("d%d/e%d/f%d", n%5, n%3, n)
				if n%4 == i {
					name = fmt.Sprintf("only%d/d%d/f%d", i, n%3, n)
				}
				text := fmt.Sprint("file ", n, " of round ", round, " and tree ", i)
				tree[name] = fileAt(text, int64(1e18)+int64(round*100+i)*1e9)
				known[name+" "+text] = true
			}
			grow(t, source, tree)
			running.Go(func() {
				outcomes[i] = d.sync(order{Source: source, Targets: [][2]string{{goWorker(t), dest}}, Delete: (round+i)%2 == 0})
			})
		}
		running.Wait()
		for i, o := range outcomes {
			assert.Empty(t, o.Error, "round %d, driver %d", round, i)
		}
		require.NoError(t, filepath.WalkDir(dest, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			name, _ := filepath.Rel(dest, path)
			if !strings.Contains(string(content), fmt.Sprint(" of round ", round, " ")) {
				return err // it was deleted in neither, and is from an earlier round
			}
			assert.True(t, known[name+" "+string(content)], "%s is %q", name, content)
			return err
		}))
	}
}
