package multi

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

// logRecord returns the record that an item of kind gatewaybase.AsideLog holds. ok is false for
// another item.
func logRecord(gateway string, item any) (record slog.Record, ok bool) {
	parts, _ := item.(serializer.Tuple)
	if len(parts) != 9 {
		return record, false
	}
	level, isLevel := parts[0].(int64)
	name, isName := parts[1].(string)
	message, isMessage := parts[2].(string)
	created, isCreated := parts[3].(float64)
	file, isFile := parts[4].(string)
	line, isLine := parts[5].(int64)
	function, isFunction := parts[6].(string)
	exception, isException := parts[7].(string)
	extra, isExtra := parts[8].(*serializer.Dict)
	if !(isLevel && isName && isMessage && isCreated && isFile && isLine && isFunction && isException && isExtra) {
		return record, false
	}
	seconds, fraction := math.Modf(created)
	record = slog.NewRecord(time.Unix(int64(seconds), int64(fraction*1e9)), slogLevel(level), message, 0)
	record.AddAttrs(slog.String("gateway", gateway), slog.String("logger", name),
		slog.String("file", file), slog.Int64("line", line), slog.String("function", function))
	if exception != "" {
		record.AddAttrs(slog.String("exception", exception))
	}
	for key, value := range extra.All() {
		if name, ok := key.(string); ok {
			record.AddAttrs(slog.Any(name, value))
		}
	}
	return record, true
}

// slogLevel is the level of log/slog for one of Python's: DEBUG, INFO, WARNING and ERROR for those
// of the same names, and 12 for CRITICAL. Levels between them stay between them.
func slogLevel(python int64) slog.Level {
	return slog.Level(math.Floor(float64(max(min(python, 1<<30), -1<<30)-20) * 0.4))
}

// handle gives a record to a handler that wants it.
func handle(handler slog.Handler, record slog.Record) {
	if ctx := context.Background(); handler.Enabled(ctx, record.Level) {
		_ = handler.Handle(ctx, record) // as log/slog does, which drops the error, too
	}
}
