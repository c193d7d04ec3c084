package main

import (
	"context"
	"io"
)

// printer writes what several goroutines have to say, one piece after the other. Only one goroutine
// writes, so that nobody else is held up by a pipe that nobody reads once ctx has ended.
type printer struct {
	ctx    context.Context
	pieces chan piece
	done   chan struct{}
}

type piece struct {
	to   io.Writer
	text []byte
}

// newPrinter starts a printer. cancel is called when stdout cannot be written to; nothing is
// written after that.
func newPrinter(ctx context.Context, stdout io.Writer, cancel context.CancelCauseFunc) *printer {
	p := &printer{ctx: ctx, pieces: make(chan piece), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for piece := range p.pieces {
			if ctx.Err() != nil {
				continue
			}
			// What cannot be said on stderr can be said nowhere.
			if _, err := piece.to.Write(piece.text); err != nil && piece.to == stdout {
				cancel(err)
			}
		}
	}()
	return p
}

// print returns when the piece is about to be written, or when ctx has ended, when it may be lost.
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
