package gpython

// time: clocks, a sleep that ends with the execution, and dates, formatted in the C locale. In
// gpython v0.2.0's module all but time, time_ns and sleep raise NotImplementedError, and its sleep
// would hold the interpreter's lock.

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// started is the time at which monotonic and perf_counter are 0.
var started = time.Now()

// timeModule makes the module.
func (in *interp) timeModule() (*py.Module, error) {
	globals := py.StringDict{"sleep": &function{"sleep", in.sleep}}
	clock := func(name string, now func() py.Object) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return now(), err
		}}
	}
	clock("time", func() py.Object { return py.Float(float64(time.Now().UnixNano()) / 1e9) })
	clock("time_ns", func() py.Object { return py.Int(time.Now().UnixNano()) })
	for _, name := range []string{"monotonic", "perf_counter"} {
		clock(name, func() py.Object { return py.Float(time.Since(started).Seconds()) })
		clock(name+"_ns", func() py.Object { return py.Int(time.Since(started)) })
	}
	add := func(name string, argument string, call func(o py.Object) (py.Object, error)) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 0, argument)
			if err != nil {
				return nil, err
			}
			return call(a[0])
		}}
	}
	add("localtime", "seconds", func(o py.Object) (py.Object, error) { t, err := moment(o); return newStructTime(t), err })
	add("gmtime", "seconds", func(o py.Object) (py.Object, error) { t, err := moment(o); return newStructTime(t.UTC()), err })
	add("ctime", "seconds", func(o py.Object) (py.Object, error) {
		t, err := moment(o)
		if err != nil {
			return nil, err
		}
		text, err := formatTime("%c", newStructTime(t))
		return py.String(text), err
	})
	add("asctime", "t", func(o py.Object) (py.Object, error) { return formattedTime("%c", o) })
	add("mktime", "t", func(o py.Object) (py.Object, error) {
		s, err := parts(o)
		if err != nil {
			return nil, err
		}
		n, err := numbers(s.Tuple)
		return py.Float(localTime(n).Unix()), err
	})
	globals["strftime"] = &function{"strftime", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("strftime", args, kwargs, 1, "format", "t")
		if err != nil {
			return nil, err
		}
		format, ok := pyvalue.Plain(a[0]).(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "strftime() argument 1 must be str, not %s", a[0].Type().Name)
		}
		return formattedTime(string(format), a[1])
	}}
	globals["struct_time"] = structTimeType
	return in.newModule("time", globals)
}

// sleep is time.sleep: callbacks run meanwhile, and an interruption ends it.
func (in *interp) sleep(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("sleep", args, kwargs, 1, "seconds")
	if err != nil {
		return nil, err
	}
	seconds, err := py.FloatAsFloat64(a[0])
	if err != nil {
		return nil, py.ExceptionNewf(py.TypeError, "'%s' object cannot be interpreted as an integer", a[0].Type().Name)
	}
	if seconds < 0 || seconds != seconds {
		return nil, py.ExceptionNewf(py.ValueError, "sleep length must be non-negative")
	}
	_, err = in.wait(nil, duration(seconds))
	return py.None, err
}

func formattedTime(format string, o py.Object) (py.Object, error) {
	s, err := parts(o)
	if err != nil {
		return nil, err
	}
	text, err := formatTime(format, s)
	return py.String(text), err
}

var structTimeType = newType(py.TupleType, "time.struct_time", "A time by its parts.")

var structTimeFields = []string{"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"}

// newStructTime is what time.localtime and gmtime give.
func newStructTime(t time.Time) *namedTuple {
	summer := 0
	if t.IsDST() {
		summer = 1
	}
	zone, offset := t.Zone()
	var items py.Tuple
	for _, n := range []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), (int(t.Weekday()) + 6) % 7,
		t.YearDay(), summer} {
		items = append(items, py.Int(n))
	}
	return &namedTuple{items, structTimeType, structTimeFields, py.StringDict{"tm_zone": py.String(zone), "tm_gmtoff": py.Int(offset)}}
}

// moment reads what a program gives for a time in seconds: now, if it gives none.
func moment(o py.Object) (time.Time, error) {
	if o == nil || o == py.None {
		return time.Now(), nil
	}
	seconds, err := py.FloatAsFloat64(o)
	if err != nil {
		return time.Time{}, err
	}
	const most = 1 << 55
	if !(math.Abs(seconds) < most) {
		return time.Time{}, py.ExceptionNewf(py.OverflowError, "timestamp out of range for platform time_t")
	}
	return time.Unix(int64(math.Floor(seconds)), 0), nil
}

// parts is a time that a program gave by its parts: now, if it gives none.
func parts(o py.Object) (*namedTuple, error) {
	switch x := o.(type) {
	case nil:
		return newStructTime(time.Now()), nil
	case *namedTuple:
		if x.class == structTimeType {
			return x, nil
		}
	case py.Tuple:
		if len(x) != len(structTimeFields) {
			return nil, py.ExceptionNewf(py.TypeError, "time tuple must have exactly 9 elements")
		}
		n, err := numbers(x)
		if err != nil {
			return nil, err
		}
		s := newStructTime(localTime(n)) // for its zone
		s.Tuple = x
		return s, nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "Tuple or struct_time argument required")
}

// numbers are the parts of a time: months count from 1, days of the week from Monday.
func numbers(parts py.Tuple) (n [9]int, err error) {
	for i := range n {
		if n[i], err = py.IndexInt(parts[i]); err != nil {
			return n, err
		}
	}
	return n, nil
}

func localTime(n [9]int) time.Time {
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.Local)
}

// outOfRange says which part no time can have.
func outOfRange(n [9]int) error {
	for _, part := range []struct {
		value, least, most int
		name               string
	}{
		{n[1], 1, 12, "month"}, {n[2], 1, 31, "day of month"}, {n[3], 0, 23, "hour"}, {n[4], 0, 59, "minute"},
		{n[5], 0, 61, "seconds"}, {n[6], 0, 6, "day of week"}, {n[7], 1, 366, "day of year"},
	} {
		if part.value < part.least || part.value > part.most {
			return py.ExceptionNewf(py.ValueError, "%s out of range", part.name)
		}
	}
	return nil
}

// formatTime is time.strftime in the C locale.
func formatTime(format string, s *namedTuple) (string, error) {
	n, err := numbers(s.Tuple)
	if err == nil {
		err = outOfRange(n)
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for rest := format; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		b.WriteString(before)
		if !found {
			break
		}
		if after == "" {
			b.WriteByte('%')
			break
		}
		b.WriteString(directive(after[0], s, n))
		rest = after[1:]
	}
	return b.String(), nil
}

// compound are the directives that stand for several.
var compound = map[byte]string{'c': "%a %b %e %H:%M:%S %Y", 'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'R': "%H:%M", 'T': "%H:%M:%S",
	'X': "%H:%M:%S", 'r': "%I:%M:%S %p", 'x': "%m/%d/%y"}

// directive is what strftime writes for % and a letter.
func directive(c byte, s *namedTuple, n [9]int) string {
	if format, ok := compound[c]; ok {
		text, _ := formatTime(format, s) // its numbers have been looked at
		return text
	}
	year, month, day, hour, minute, second, weekday, yearday := n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]-1
	sunday := (weekday + 1) % 7
	names := [2]string{time.Weekday(sunday).String(), time.Month(month).String()}
	date := localTime(n)
	isoYear, isoWeek := date.ISOWeek()
	switch c {
	case 'a':
		return names[0][:3]
	case 'A':
		return names[0]
	case 'b', 'h':
		return names[1][:3]
	case 'B':
		return names[1]
	case 'C':
		return fmt.Sprintf("%02d", year/100)
	case 'd':
		return fmt.Sprintf("%02d", day)
	case 'e':
		return fmt.Sprintf("%2d", day)
	case 'G':
		return fmt.Sprint(isoYear)
	case 'H':
		return fmt.Sprintf("%02d", hour)
	case 'I':
		return fmt.Sprintf("%02d", (hour+11)%12+1)
	case 'j':
		return fmt.Sprintf("%03d", yearday+1)
	case 'm':
		return fmt.Sprintf("%02d", month)
	case 'M':
		return fmt.Sprintf("%02d", minute)
	case 'n':
		return "\n"
	case 'p':
		return []string{"AM", "PM"}[hour/12]
	case 's':
		return fmt.Sprint(date.Unix())
	case 'S':
		return fmt.Sprintf("%02d", second)
	case 't':
		return "\t"
	case 'u':
		return fmt.Sprint(weekday + 1)
	case 'U':
		return fmt.Sprintf("%02d", (yearday+7-sunday)/7)
	case 'V':
		return fmt.Sprintf("%02d", isoWeek)
	case 'w':
		return fmt.Sprint(sunday)
	case 'W':
		return fmt.Sprintf("%02d", (yearday+7-weekday)/7)
	case 'y':
		return fmt.Sprintf("%02d", (year%100+100)%100)
	case 'Y':
		return fmt.Sprint(year)
	case 'z':
		sign, offset := '+', int(s.more["tm_gmtoff"].(py.Int))/60
		if offset < 0 {
			sign, offset = '-', -offset
		}
		return fmt.Sprintf("%c%02d%02d", sign, offset/60, offset%60)
	case 'Z':
		return string(s.more["tm_zone"].(py.String))
	case '%':
		return "%"
	}
	return "%" + string(c)
}
