package receive

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/serializer"
)

// How Python's execnet spells names, modes and times.

// unexpected says what should have come, and shows the start of what came.
func unexpected(wanted string, item any) error {
	text := serializer.Repr(item)
	if b, ok := item.([]byte); ok {
		text = fmt.Sprintf("%d bytes", len(b))
	} else if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "..."
	}
	return wire.Errorf("%s should have come, not %s", wanted, text)
}

// asName is a str of Python 3, which is text, or of Python 2, which is bytes.
func asName(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// joined is the path of an ack: text, or bytes where a driver under Python 2 spelled it so.
func joined(names []any) any {
	parts := make([]string, len(names))
	inBytes := false
	for i, name := range names {
		parts[i], _ = asName(name)
		_, isBytes := name.([]byte)
		inBytes = inBytes || isBytes
	}
	path := strings.Join(parts, "/")
	if inBytes {
		return []byte(path)
	}
	return path
}

// asMode is st_mode; None, from a driver that could not look, is 0.
func asMode(v any) (uint32, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		return uint32(v), v >= 0 && v <= math.MaxUint32
	}
	return 0, false
}

// asFloat is a time in seconds, within what a file's time can be.
func asFloat(v any) (float64, bool) {
	f, ok := v.(float64)
	if i, isInt := v.(int64); isInt {
		f, ok = float64(i), true
	}
	return f, ok && math.Abs(f) < 1<<40 // NaN is not
}

// timeOfFloat is the time that os.utime sets for a float: rounded down to a nanosecond.
func timeOfFloat(f float64) time.Time {
	seconds := math.Floor(f)
	return time.Unix(int64(seconds), int64(math.Floor((f-seconds)*1e9)))
}
