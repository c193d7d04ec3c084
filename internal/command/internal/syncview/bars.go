package syncview

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/go-execnet/execnet/rsync"
)

// Bars shows a progress bar for each target: files, bytes, rate.
type Bars struct {
	w        io.Writer
	verbose  bool
	failed   func(error)
	progress *mpb.Progress
	bars     map[string]*bar
}

type bar struct {
	*mpb.Bar
	files atomic.Int64
}

// NewBars returns a view that draws on the terminal w; verbose adds a line above the bars for each
// file. failed is called when the summary cannot be written.
func NewBars(w io.Writer, verbose bool, failed func(error)) *Bars {
	progress := mpb.New(mpb.WithOutput(w), mpb.WithWidth(30), mpb.WithAutoRefresh())
	return &Bars{w: w, verbose: verbose, failed: failed, progress: progress, bars: map[string]*bar{}}
}

// Target implements View.
func (b *Bars) Target(id string) {
	t := &bar{}
	files := func(decor.Statistics) string { return fmt.Sprintf(" %6d files ", t.files.Load()) }
	t.Bar = b.progress.AddBar(0,
		mpb.PrependDecorators(
			decor.Name(id, decor.WCSyncSpaceR),
			decor.Any(files, decor.WCSyncWidth),
			decor.Counters(decor.SizeB1000(0), "% .1f / % .1f", decor.WCSyncSpace),
		),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1000(0), " % .1f", decor.WCSyncSpace)))
	b.bars[id] = t
}

// Event implements View.
func (b *Bars) Event(e rsync.Event) {
	if e.Gateway == nil { // it is about the source
		b.above(e)
		return
	}
	t := b.bars[e.Gateway.ID()]
	switch e.Kind {
	case rsync.EventList:
		t.SetTotal(e.Size, false)
	case rsync.EventProgress:
		t.SetCurrent(e.Size)
	case rsync.EventAck:
		t.files.Add(1)
	case rsync.EventWarning:
		b.above(e)
	case rsync.EventSend, rsync.EventDelete:
		if b.verbose {
			b.above(e)
		}
	}
}

// above prints a line over the bars.
func (b *Bars) above(e rsync.Event) {
	// If the terminal is gone the program gets a signal.
	_, _ = io.WriteString(b.progress, eventLine(e)+"\n")
}

// Close implements View.
func (b *Bars) Close(results []rsync.Result) {
	for _, r := range results {
		if t := b.bars[r.Gateway.ID()]; r.Err != nil {
			t.Abort(false)
		} else {
			t.SetTotal(-1, true)
		}
	}
	for _, t := range b.bars {
		t.Abort(false) // ends the bars of targets without a result; for the others it does nothing
	}
	b.progress.Wait()
	for _, r := range results {
		if _, err := fmt.Fprintln(b.w, summary(r, false)); err != nil {
			b.failed(err)
		}
	}
}
