package command

import (
	"context"
	"io"
)

// printer writes the output of several goroutines, one piece after the other. One goroutine does
// all the writing, so that after ctx's end no other one waits for a pipe that is not read.
type printer struct {
	ctx    context.Context
	pieces chan piece
	done   chan struct{}
}

type piece struct {
	to   io.Writer
	text []byte
}

// newPrinter starts a printer. If writing to stdout fails, it calls cancel with the error and
// writes nothing more.
func newPrinter(ctx context.Context, stdout io.Writer, cancel context.CancelCauseFunc) *printer {
	p := &printer{ctx: ctx, pieces: make(chan piece), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for piece := range p.pieces {
			if ctx.Err() != nil {
				continue
			}
			// An error of writing to stderr cannot be shown anywhere.
			if _, err := piece.to.Write(piece.text); err != nil && piece.to == stdout {
				cancel(err)
			}
		}
	}()
	return p
}

// print returns when the piece is being written. After ctx's end it may drop the piece.
func (p *printer) print(to io.Writer, text []byte) {
	select {
	case p.pieces <- piece{to, text}:
	case <-p.ctx.Done():
	}
}

// close waits until everything is written, or until ctx has ended.
func (p *printer) close() {
	close(p.pieces)
	select {
	case <-p.done:
	case <-p.ctx.Done():
	}
}
