package execnettest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/go-execnet/execnet"
)

// testLog writes whole lines to a test's log, without the place in this file that t.Log would put
// in front of each. It is safe for use by several goroutines and after the end of the test, where
// package testing would panic.
type testLog struct {
	mu   sync.Mutex // guards what follows
	to   io.Writer
	rest []byte // the beginning of a line of Write
}

func newTestLog(t testing.TB) *testLog { return &testLog{to: t.Output()} }

// print writes a text of one line or more.
func (l *testLog) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(text)
}

// write is print. The caller holds mu.
func (l *testLog) write(text string) {
	_, _ = io.WriteString(l.to, strings.TrimSuffix(text, "\n")+"\n") // a test's log takes all
}

// line is for Group.Output.
func (l *testLog) line(line execnet.Line) {
	l.print(fmt.Sprintf("[%s %s] %s", line.Gateway, line.Stream, line.Text))
}

// Write takes what a group has to say to its user. It writes each line when it is complete.
func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	if end := bytes.LastIndexByte(l.rest, '\n'); end >= 0 {
		l.write(string(l.rest[:end]))
		l.rest = append(l.rest[:0], l.rest[end+1:]...)
	}
	return len(p), nil
}

// end is the end of the test.
func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.write(string(l.rest))
		l.rest = nil
	}
	l.to = os.Stderr
}

// records writes log records to a test's log.
type records struct {
	log *testLog

	mu     *sync.Mutex   // guards text
	text   *bytes.Buffer // what format writes
	format slog.Handler
}

// newRecords returns the handler for a group. Time and function are left out: the line is in the
// order of time already.
func newRecords(log *testLog) *records {
	text := new(bytes.Buffer)
	return &records{log: log, mu: new(sync.Mutex), text: text, format: slog.NewTextHandler(text, &slog.HandlerOptions{
		Level: slog.Level(-1 << 10), // the far end decides
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})}
}

// Enabled implements slog.Handler.
func (r *records) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler. The gateway becomes the label, and a traceback gets lines of its
// own.
func (r *records) Handle(ctx context.Context, record slog.Record) error {
	gateway, traceback := "", ""
	short := slog.NewRecord(record.Time, record.Level, record.Message, 0)
	record.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "gateway" && gateway == "":
			gateway = a.Value.String()
		case a.Key == "exception" && traceback == "":
			traceback = a.Value.String()
		default:
			short.AddAttrs(a)
		}
		return true
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Reset()
	if err := r.format.Handle(ctx, short); err != nil {
		return err
	}
	r.text.WriteString(traceback)
	label := "[" + gateway + " log] "
	r.log.print(label + strings.ReplaceAll(strings.TrimSuffix(r.text.String(), "\n"), "\n", "\n"+label))
	return nil
}

// WithAttrs implements slog.Handler.
func (r *records) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *r
	with.format = r.format.WithAttrs(attrs)
	return &with
}

// WithGroup implements slog.Handler.
func (r *records) WithGroup(name string) slog.Handler {
	with := *r
	with.format = r.format.WithGroup(name)
	return &with
}
