package serializer

import (
	"reflect"
	"time"
)

// isoLayouts are the forms of isoformat of Python's datetime and date. Fractions of seconds need no
// form of their own.
var isoLayouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02",
	"2006-01-02T15:04:05Z07:00:00", // before there were time zones, local times had seconds
}

// loadTime loads the text of a datetime, which is what calls send instead of one ([protocol.md
// section 6.8]).
//
// [protocol.md section 6.8]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#68-calls
func loadTime(d *decoder, v reflect.Value) error {
	if d.none() {
		return nil
	}
	at := d.off
	x, err := d.value()
	if err != nil {
		return err
	}
	text, ok := x.(string)
	if !ok {
		return loadErrorf(at, "a Python %s does not fit a Go time.Time", pythonType(x))
	}
	for _, layout := range isoLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			v.Set(reflect.ValueOf(t))
			return nil
		}
	}
	return loadErrorf(at, "%.60q is no date and time in ISO form, and does not fit a Go time.Time", text)
}
