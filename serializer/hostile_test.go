package serializer_test

import (
	"encoding/binary"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

func n32(op byte, n int32) string {
	return string(binary.BigEndian.AppendUint32([]byte{op}, uint32(n)))
}

func TestHostileInput(t *testing.T) {
	const levels = 1_000_000
	digits := strings.Repeat("9", serializer.DefaultMaxDigits+1)
	for name, c := range map[string]struct {
		data   string
		offset int64
		says   string
	}{
		"nothing":                {"", 0, "without STOP"},
		"only STOP":              {"Q", 0, "STOP with 0 values"},
		"two values":             {"LLQ", 2, "STOP with 2 values"},
		"no STOP":                {"L", 1, "without STOP"},
		"trailing":               {"LQL", 2, "1 bytes after"},
		"unknown opcode":         {"Lx", 1, "unknown opcode"},
		"short int":              {"F\x00\x00", 0, "ends within an int"},
		"short float":            {"D\x00\x00", 0, "ends within a float"},
		"short complex":          {"T" + strings.Repeat("\x00", 15), 0, "ends within a complex"},
		"no length":              {"N\x00", 0, "ends within a str"},
		"short string":           {n32('N', 5) + "abc", 0, "only 3 are left"},
		"huge string":            {n32('A', 1<<31-1) + "abc", 0, "only 3 are left"},
		"negative string":        {n32('N', -1) + "Q", 0, "negative length -1"},
		"negative list":          {n32('K', -5) + "Q", 0, "negative length -5"},
		"negative tuple":         {n32('@', -1) + "Q", 0, "negative length -1"},
		"negative set":           {n32('O', -1) + "Q", 0, "negative length -1"},
		"huge list":              {n32('K', 1<<31-1) + "Q", 0, "only 0 follow"},
		"list that is not full":  {"R" + n32('K', 2) + n32('F', 0) + "LP" + strings.Repeat("L", 20) + n32('@', 22) + "Q", 1, "only 1 follow"},
		"huge tuple":             {"L" + n32('@', 1<<31-1) + "Q", 1, "there are only 1"},
		"huge set":               {"L" + n32('O', 2) + "Q", 1, "there are only 1"},
		"huge frozenset":         {"L" + n32('E', 2) + "Q", 1, "there are only 1"},
		"SETITEM on nothing":     {"LLPQ", 2, "needs a container"},
		"SETITEM on an int":      {n32('F', 1) + "LLPQ", 7, "SETITEM on an int"},
		"SETITEM on a tuple":     {"L" + n32('@', 1) + "LLPQ", 8, "SETITEM on a tuple"},
		"SETITEM on a set":       {n32('O', 0) + "LLPQ", 7, "SETITEM on a set"},
		"list as a key":          {"J" + n32('K', 0) + "LPQ", 1, "unhashable type: list"},
		"dict in a tuple as key": {"JJ" + n32('@', 1) + "LPQ", 1, "unhashable type: dict"},
		"set in a set":           {n32('O', 0) + n32('O', 1) + "Q", 5, "unhashable type: set"},
		"index that is a str":    {n32('K', 1) + n32('N', 3) + "abcLPQ", 5, "must be an int, not str"},
		"index out of range":     {n32('K', 1) + n32('F', 1) + "LPQ", 5, "index 1 in a list of 1"},
		"negative out of range":  {n32('K', 1) + n32('F', -2) + "LPQ", 5, "index -2 in a list of 1"},
		"invalid UTF-8":          {n32('N', 1) + "\xffQ", 0, "not valid UTF-8"},
		"surrogate":              {n32('S', 3) + "\xed\xa0\x80Q", 0, "not valid UTF-8"},
		"channel":                {n32('B', 1) + "Q", 0, "gateway"},
		"too many digits":        {n32('H', int32(len(digits))) + digits + "Q", 0, "4301 digits"},
		"nested lists":           {strings.Repeat(n32('K', 1)+n32('F', 0), levels) + "L" + strings.Repeat("P", levels) + "Q", -1, "levels deep"},
		"nested dicts":           {strings.Repeat("JL", 20_000) + "L" + strings.Repeat("P", 20_000) + "Q", -1, "levels deep"},
		"nested tuples":          {strings.Repeat(n32('@', 1), levels) + "Q", 0, "there are only 0"},
		"nested one-tuples":      {"L" + strings.Repeat(n32('@', 1), levels) + "Q", -1, "levels deep"},
		"nested frozensets":      {"L" + strings.Repeat(n32('E', 1), levels) + "Q", -1, "levels deep"},
		"unfinished nesting":     {strings.Repeat("J", 10_000), 10_000, "without STOP"},
		"empty dicts":            {strings.Repeat("J", levels) + n32('@', levels) + "Q", -1, "more memory than 24 times"},
		"scalars too few":        {"JLL" + n32('@', 4) + "Q", 3, "there are only 3"},
		"SETITEM on a scalar":    {"LRCPQ", 3, "SETITEM on None"},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(err error, base int64) {
				var le *serializer.LoadError
				require.ErrorAs(t, err, &le)
				assert.Contains(t, err.Error(), c.says)
				if c.offset >= 0 {
					assert.Equal(t, c.offset+base, le.Offset, "%v", err)
				}
			}
			_, err := new(serializer.Codec).Load([]byte(c.data))
			check(err, 0)
			_, err = serializer.Loads([]byte("\x02" + c.data))
			check(err, 1)
			var target any
			check(new(serializer.Codec).Unmarshal([]byte(c.data), &target), 0)
		})
	}
}

func TestWrongVersion(t *testing.T) {
	for _, data := range []string{"", "\x00LQ", "\x03LQ", "LQ"} {
		_, err := serializer.Loads([]byte(data))
		var le *serializer.LoadError
		require.ErrorAs(t, err, &le)
	}
}

func TestLimits(t *testing.T) {
	nested := func(levels int) any {
		var v any
		for range levels {
			v = []any{v}
		}
		return v
	}
	deep, err := serializer.Dumps(nested(serializer.DefaultMaxDepth))
	require.NoError(t, err)
	_, err = serializer.Loads(deep)
	require.NoError(t, err)
	_, err = serializer.Dumps(nested(serializer.DefaultMaxDepth + 1))
	assert.ErrorContains(t, err, "more than 10000 levels")
	assert.Less(t, len(err.Error()), 1000)

	for levels, fails := range map[int]bool{0: false, 2: false, 3: true} {
		data, err := serializer.Dumps(nested(levels))
		require.NoError(t, err)
		_, err = serializer.Loads(data, serializer.MaxDepth(2))
		assert.Equal(t, fails, err != nil, levels)
		c := serializer.Codec{MaxDepth: 2}
		_, err = c.Append(nil, nested(levels))
		assert.Equal(t, fails, err != nil, levels)
	}
	ring := []any{nil}
	ring[0] = ring
	_, err = (&serializer.Codec{MaxDepth: 2}).Append(nil, ring)
	assert.ErrorContains(t, err, "contains itself")
	data, err := serializer.Dumps(int64(1) << 40)
	require.NoError(t, err)
	_, err = serializer.Loads(data, serializer.MaxDigits(3))
	assert.ErrorContains(t, err, "the limit is 3")
	_, err = serializer.Loads(data, serializer.MaxDigits(100))
	assert.NoError(t, err)
}

func TestDumpErrors(t *testing.T) {
	self := []any{1, nil}
	self[1] = serializer.NewDict("me", tuple{self})
	type node struct{ Next *node }
	ring := &node{}
	ring.Next = &node{ring}
	loop := map[string]any{}
	loop["loop"] = loop
	wide := []any{strings.Repeat("x", 1<<16), nil}
	wide[1] = wide
	for name, c := range map[string]struct {
		value any
		path  string
		says  string
	}{
		"self in a list":       {self, `[1]["me"][0]`, "contains itself"},
		"ring of pointers":     {ring, ".Next.Next", "contains itself"},
		"map in itself":        {loop, `["loop"]`, "contains itself"},
		"wide and cyclic":      {wide, "[1]", "contains itself"},
		"func":                 {map[string]any{"f": []any{func() {}}}, `["f"][0]`, "no counterpart"},
		"invalid UTF-8":        {struct{ Name []string }{[]string{"\xff"}}, ".Name[0]", "UTF-8"},
		"invalid key":          {map[string]int{"\xff": 1}, `["\xff"]`, "UTF-8"},
		"channel":              {[]any{fakeChannel(3)}, "[0]", "channel"},
		"opaque struct":        {struct{ N time.Time }{}, ".N", "no exported fields"},
		"unhashable map key":   {map[any]int{[1]int{1}: 1}, "[[1]]", "cannot be a dict key"},
		"keys equal in Python": {map[any]int{1: 1, 1.0: 2}, "*", "same key in Python"},
	} {
		t.Run(name, func(t *testing.T) {
			dst := []byte("before")
			out, err := new(serializer.Codec).Append(dst, c.value)
			var de *serializer.DumpError
			require.ErrorAs(t, err, &de)
			assert.Equal(t, "before", string(out))
			if c.path != "*" {
				assert.Equal(t, c.path, de.Path)
			}
			assert.Contains(t, err.Error(), c.says)
		})
	}
}

// TestLongInts has the sender between gateways refuse what the far end might not load: that would
// end the whole gateway of Python's execnet. The public form takes ints of any length.
func TestLongInts(t *testing.T) {
	least := new(big.Int).Exp(big.NewInt(10), big.NewInt(serializer.DefaultMaxDigits), nil)
	most := new(big.Int).Sub(least, big.NewInt(1))
	var codec serializer.Codec
	for _, i := range []*big.Int{most, new(big.Int).Neg(most)} {
		data, err := codec.Append(nil, i)
		require.NoError(t, err)
		got, err := codec.Load(data)
		require.NoError(t, err)
		assert.Equal(t, i, got)
	}
	for _, i := range []*big.Int{least, new(big.Int).Neg(least), new(big.Int).Lsh(big.NewInt(1), 1<<30)} {
		for _, v := range []any{[]any{0, i}, []any{0, *i}} {
			_, err := codec.Append(nil, v)
			var de *serializer.DumpError
			require.ErrorAs(t, err, &de)
			assert.Equal(t, "execnet: cannot serialize [1]: an int of more than 4300 digits", err.Error())
		}
	}
	data, err := serializer.Dumps(least)
	require.NoError(t, err)
	got, err := serializer.Loads(data, serializer.MaxDigits(serializer.DefaultMaxDigits+1))
	require.NoError(t, err)
	assert.Equal(t, least, got)
}
