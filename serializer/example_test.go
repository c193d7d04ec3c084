package serializer_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

func ExampleDumps() {
	data, err := serializer.Dumps([]any{1, "two", true, nil})
	if err != nil {
		panic(err)
	}
	value, err := serializer.Loads(data)
	if err != nil {
		panic(err)
	}
	list := value.([]any)
	fmt.Printf("%T %T %T %T\n", list[0], list[1], list[2], list[3])
	fmt.Println(serializer.Repr(value))
	// Output:
	// int64 string bool <nil>
	// [1, 'two', True, None]
}

func ExampleUnmarshal() {
	type file struct {
		Name  string `execnet:"name"`
		Size  int64  `execnet:"size,omitempty"`
		Owner string `execnet:"-"`
	}
	data, err := serializer.Marshal([]file{{Name: "a.txt", Size: 12}, {Name: "empty", Owner: "me"}})
	if err != nil {
		panic(err)
	}
	value, err := serializer.Loads(data)
	if err != nil {
		panic(err)
	}
	fmt.Println(serializer.Repr(value))

	var files []file
	if err := serializer.Unmarshal(data, &files); err != nil {
		panic(err)
	}
	fmt.Println(files[0].Name, files[0].Size)
	// Output:
	// [{'name': 'a.txt', 'size': 12}, {'name': 'empty'}]
	// a.txt 12
}

func ExampleDict() {
	d := serializer.NewDict("name", "x", serializer.Tuple{1, 2}, []byte("raw"))
	if err := d.Set(1.0, "one"); err != nil {
		panic(err)
	}
	if err := d.Set([]any{}, "?"); err != nil {
		fmt.Println(err)
	}
	one, ok := d.Get(1) // 1 and 1.0 are one key, as in Python
	fmt.Println(one, ok)
	for key, value := range d.All() {
		fmt.Println(serializer.Repr(key), serializer.Repr(value))
	}
	// Output:
	// a list cannot be a dict key or in a set
	// one true
	// 'name' 'x'
	// (1, 2) b'raw'
	// 1.0 'one'
}

func ExampleSet() {
	s := serializer.NewSet("a", "b", "a")
	fmt.Println(s, s.Len(), s.Contains("b"))
	fmt.Println(serializer.NewFrozenSet("b", "a").Equal(serializer.NewFrozenSet("a", "b")))
	// Output:
	// {'a', 'b'} 2 true
	// true
}

func ExampleTuple() {
	data, err := serializer.Dumps(serializer.Tuple{"host", 22})
	if err != nil {
		panic(err)
	}
	var address serializer.Tuple
	if err := serializer.Unmarshal(data, &address); err != nil {
		panic(err)
	}
	fmt.Println(address, serializer.Tuple{"one item"})
	// Output:
	// ('host', 22) ('one item',)
}

func ExampleDumpError() {
	type job struct{ Started any }
	_, err := serializer.Dumps(map[string]any{"jobs": []job{{}, {Started: time.Now()}}})
	var dump *serializer.DumpError
	if errors.As(err, &dump) {
		fmt.Println(dump.Path)
		fmt.Println(dump.Problem)
	}
	// Output:
	// ["jobs"][1].Started
	// a Go time.Time has no exported fields: convert it, or give it a MarshalExecnet method
}

func ExampleLoadError() {
	data, err := serializer.Dumps([]any{"a", "b", 300})
	if err != nil {
		panic(err)
	}
	var names []string
	err = serializer.Unmarshal(data, &names)
	var load *serializer.LoadError
	if errors.As(err, &load) {
		fmt.Println(load.Offset, load.Path, load.Problem)
	}
	_, err = serializer.Loads(data[:20])
	fmt.Println(err)
	// Output:
	// 35 [2] a Python int does not fit a Go string
	// execnet: cannot load the value (byte 18): the data ends within an int
}

func ExampleOption() {
	data := []byte("\x02M\x00\x00\x00\x02caQ") // what Python 2 dumps for 'ca'
	for _, on := range []bool{false, true} {
		value, err := serializer.Loads(data, serializer.Py2StrAsPy3Str(on))
		if err != nil {
			panic(err)
		}
		fmt.Println(serializer.Repr(value))
	}
	// Output:
	// b'ca'
	// 'ca'
}

func ExampleMaxDepth() {
	data, err := serializer.Dumps([]any{[]any{[]any{}}})
	if err != nil {
		panic(err)
	}
	_, err = serializer.Loads(data, serializer.MaxDepth(2), serializer.MaxDigits(20))
	fmt.Println(err)
	// Output:
	// execnet: cannot load the value (byte 27): nested more than 2 levels deep
}

// Seconds travels as a Python float.
type Seconds time.Duration

func (s Seconds) MarshalExecnet() (any, error) { return time.Duration(s).Seconds(), nil }

func (s *Seconds) UnmarshalExecnet(v any) error {
	f, ok := v.(float64)
	if !ok {
		return fmt.Errorf("a float is needed, not %s", serializer.Repr(v))
	}
	*s = Seconds(f * float64(time.Second))
	return nil
}

func ExampleMarshaler() {
	data, err := serializer.Marshal(Seconds(1500 * time.Millisecond))
	if err != nil {
		panic(err)
	}
	value, err := serializer.Loads(data)
	if err != nil {
		panic(err)
	}
	fmt.Println(value)
	// Output:
	// 1.5
}

func ExampleUnmarshaler() {
	data, err := serializer.Marshal([]any{0.25, "soon"})
	if err != nil {
		panic(err)
	}
	var waits []Seconds
	fmt.Println(serializer.Unmarshal(data, &waits))
	fmt.Println(time.Duration(waits[0]))
	// Output:
	// execnet: cannot load the value (byte 26, at [1]): UnmarshalExecnet of serializer_test.Seconds: a float is needed, not 'soon'
	// 250ms
}

func ExampleLoad() {
	var stream strings.Builder
	for _, v := range []any{"first", 2} {
		if err := serializer.Dump(&stream, v); err != nil {
			panic(err)
		}
	}
	r := strings.NewReader(stream.String())
	for {
		v, err := serializer.Load(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(v)
	}
	// Output:
	// first
	// 2
	// EOF
}
