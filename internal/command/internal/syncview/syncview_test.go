package syncview

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/rsync"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway is one that events can be about.
func gateway(t *testing.T, id string) *gatewaybase.Gateway {
	t.Helper()
	group := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, group.Terminate(within.Time(t, 0))) })
	gw, err := group.MakeGateway(t.Context(), pythons.Default(t).Spec()+"//id="+id)
	require.NoError(t, err)
	return gw
}

// events are one of each kind, with names that would do something to a terminal.
func events(gw *gatewaybase.Gateway) []rsync.Event {
	return []rsync.Event{
		{Kind: rsync.EventSend, Gateway: gw, Path: "sub/f", Size: 2500},
		{Kind: rsync.EventSend, Gateway: gw, Path: "\x1b[2Jclear", Size: 2500},
		{Kind: rsync.EventList, Gateway: gw, Size: 5000},
		{Kind: rsync.EventProgress, Gateway: gw, Size: 1200},
		{Kind: rsync.EventAck, Gateway: gw, Path: "sub/f", Size: 2500},
		{Kind: rsync.EventDelete, Gateway: gw, Path: "old\nname"},
		{Kind: rsync.EventWarning, Gateway: gw, Err: &rsync.FileError{Path: "w\x07", Problem: "EPERM: no"}},
		{Kind: rsync.EventWarning, Err: &rsync.FileError{Path: "p\r", Problem: "not sent: it is a socket"}},
	}
}

const shown = `far <= sub/f
far <= "\x1b[2Jclear"
far deletes "old\nname"
far: warning: "w\a": EPERM: no
warning: "p\r": not sent: it is a socket
`

func TestLines(t *testing.T) {
	gw := gateway(t, "far")
	var out bytes.Buffer
	view := NewLines(&out, false, never(t))
	view.Target("far")
	for _, e := range events(gw) {
		view.Event(e)
	}
	view.Close([]rsync.Result{{Gateway: gw, Stats: rsync.Stats{Files: 2, Literal: 5000, Matched: 1_234_567, Touched: 1, Dirs: 3, Links: 1, Deleted: 2, Failed: 1}, Err: rsync.ErrNoTargets}})
	assert.Equal(t, shown+"far: 2 files written (5.0 kB sent, 1.2 MB already there), 1 file touched, 3 directories made, 1 link made, 2 entries deleted, 1 FAILED; NOT COMPLETE\n", out.String())
}

func TestLinesOfDryRun(t *testing.T) {
	gw := gateway(t, "far")
	var out bytes.Buffer
	NewLines(&out, true, never(t)).Close([]rsync.Result{{Gateway: gw, Stats: rsync.Stats{Files: 1, Dirs: 1, Deleted: 1}}})
	assert.Equal(t, "far: 1 file to be written, 1 directory to be made, 1 entry to be deleted\n", out.String())
}

func TestBars(t *testing.T) {
	far, near := gateway(t, "far"), gateway(t, "near")
	for _, verbose := range []bool{false, true} {
		var out bytes.Buffer
		view := NewBars(&out, verbose, never(t))
		for _, gw := range []*gatewaybase.Gateway{far, near} {
			view.Target(gw.ID())
		}
		view.Target("never served")
		for _, e := range append(events(far), events(near)...) {
			view.Event(e)
		}
		view.Close([]rsync.Result{{Gateway: far, Stats: rsync.Stats{Files: 2, Literal: 5000}}, {Gateway: near, Err: rsync.ErrNoTargets}})
		text := out.String()
		assert.True(t, strings.HasSuffix(text, "far: 2 files written (5.0 kB sent)\nnear: 0 files written (0 B sent); NOT COMPLETE\n"), "%q", text)
		assert.Contains(t, text, `far: warning: "w\a": EPERM: no`)
		assert.Contains(t, text, `warning: "p\r": not sent: it is a socket`)
		assert.Equal(t, verbose, strings.Contains(text, "far <= sub/f"))
		assert.Equal(t, verbose, strings.Contains(text, `near deletes "old\nname"`))
		assert.NotContains(t, text, "\x1b[2J")
		assert.NotContains(t, text, "\x07")
	}
}

// never is told of no error.
func never(t *testing.T) func(error) {
	return func(err error) { assert.NoError(t, err) }
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestWhatCannotBeWrittenIsTold(t *testing.T) {
	gw := gateway(t, "far")
	var told []error
	failed := func(err error) { told = append(told, err) }
	lines := NewLines(full{}, false, failed)
	lines.Event(rsync.Event{Kind: rsync.EventSend, Gateway: gw, Path: "f"})
	assert.Equal(t, []error{syscall.ENOSPC}, told)
	for _, view := range []View{lines, NewBars(full{}, false, failed)} {
		told = nil
		view.Target("far")
		view.Close([]rsync.Result{{Gateway: gw}})
		assert.Equal(t, []error{syscall.ENOSPC}, told)
	}
}

func TestQuiet(t *testing.T) {
	var view View = Quiet{}
	view.Target("x")
	view.Event(rsync.Event{Kind: rsync.EventWarning, Err: &rsync.FileError{}})
	view.Close(nil)
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1 << 30: "1.1 GB",
		1 << 40: "1.1 TB", 1<<63 - 1: "9.2 EB"} {
		assert.Equal(t, want, size(n))
	}
}
