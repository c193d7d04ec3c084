package worker

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

// logger is a slog.Handler that sends records to the driver, in the form of Python's
// (protocol.md section 6.9).
type logger struct {
	send   func(item any)
	prefix string // of the names of attributes: the groups, each with a dot behind it
	attrs  []slog.Attr
}

// captureLogs makes l the handler of the default logger, unless the program has set one.
func captureLogs(l *logger) {
	if fmt.Sprintf("%T", slog.Default().Handler()) == "*slog.defaultHandler" {
		slog.SetDefault(slog.New(l))
	}
}

// Enabled implements slog.Handler. As slog's own default does, it leaves out what is below INFO.
func (l *logger) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// WithAttrs implements slog.Handler.
func (l *logger) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *l
	more.attrs = slices.Clone(l.attrs)
	for _, a := range attrs {
		more.attrs = l.flatten(more.attrs, l.prefix, a)
	}
	return &more
}

// WithGroup implements slog.Handler.
func (l *logger) WithGroup(name string) slog.Handler {
	if name == "" {
		return l
	}
	more := *l
	more.prefix += name + "."
	return &more
}

// flatten adds an attribute to others; one that is a group, as its members.
func (l *logger) flatten(attrs []slog.Attr, prefix string, a slog.Attr) []slog.Attr {
	a.Value = a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
	case a.Value.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range a.Value.Group() {
			attrs = l.flatten(attrs, prefix, member)
		}
	default:
		attrs = append(attrs, slog.Attr{Key: prefix + a.Key, Value: a.Value})
	}
	return attrs
}

// The bounds of a record, in bytes: it has to fit into what may be on its way.
const (
	longestMessage = 32 << 10
	longestAttr    = 1000
	mostAttrs      = 100
)

// Handle implements slog.Handler.
func (l *logger) Handle(_ context.Context, record slog.Record) error {
	attrs := slices.Clone(l.attrs)
	record.Attrs(func(a slog.Attr) bool {
		attrs = l.flatten(attrs, l.prefix, a)
		return true
	})
	extra := serializer.NewDict()
	for _, a := range attrs[:min(len(attrs), mostAttrs)] {
		_ = extra.Set(cut(a.Key, longestAttr), plain(a.Value)) // a string is always hashable
	}
	frame, _ := runtime.CallersFrames([]uintptr{record.PC}).Next()
	when := record.Time
	if when.IsZero() {
		when = time.Now()
	}
	l.send(serializer.Tuple{gatewaybase.AsideLog, serializer.Tuple{
		int(math.Ceil(float64(record.Level)*2.5)) + 20, "slog", cut(record.Message, longestMessage), float64(when.UnixNano()) / 1e9,
		cut(frame.File, longestAttr), frame.Line, cut(frame.Function, longestAttr), "", extra}})
	return nil
}

// plain is a value as a record can hold it: a bool, a number, or else a text.
func plain(v slog.Value) any {
	switch v.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindFloat64:
		return v.Any()
	case slog.KindUint64:
		if n := v.Uint64(); n <= math.MaxInt64 {
			return int64(n)
		}
	}
	return cut(v.String(), longestAttr)
}

// cut returns text as valid UTF-8 of at most limit bytes.
func cut(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
