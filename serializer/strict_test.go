package serializer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

type strictPoint struct {
	_     struct{} `execnet:",strict"`
	X     int      `execnet:"x"`
	Y     *int     `json:"y"`
	Label string   `json:"label,omitempty"`
}

type strictOuter struct {
	_ struct{} `execnet:",strict"`
	base
	Points []strictPoint `execnet:"points"`
	Loose  struct{ A int }
}

// TestStrictStructs loads dicts that have more or fewer keys than a struct has fields.
func TestStrictStructs(t *testing.T) {
	dict := serializer.NewDict
	whole := func(points ...any) *serializer.Dict {
		return dict("ID", 1, "kind", "k", "points", points, "Loose", dict("B", 2))
	}
	var got strictOuter
	data, err := serializer.Marshal(whole(dict("x", 1, "y", nil), dict("label", "l", "y", 2, "x", 3)))
	require.NoError(t, err)
	require.NoError(t, serializer.Unmarshal(data, &got))
	two := 2
	assert.Equal(t, strictOuter{base: base{1, "k"}, Points: []strictPoint{{X: 1}, {X: 3, Y: &two, Label: "l"}}}, got)
	again, err := serializer.Marshal(got)
	require.NoError(t, err)
	require.NoError(t, serializer.Unmarshal(again, new(strictOuter)), "what it is dumped as")

	for _, test := range []struct {
		value         any
		path, problem string
	}{
		{whole(dict("x", 1)), `["points"][0]["y"]`, "no such key"},
		{whole(dict("x", 1, "y", 1), dict()), `["points"][1]["x"]`, "no such key"},
		{whole(dict("x", 1, "y", 1, "z", 1)), `["points"][0]["z"]`, "no field for this key"},
		{whole(dict("x", 1, "y", 1, "X", 1)), `["points"][0]["X"]`, "no field for this key"},
		{whole(dict("x", 1, 5, 1, "y", 1)), `["points"][0]`, "a key that is no str"},
		{whole(dict("x", "1", "y", 1)), `["points"][0]["x"]`, "a Python str does not fit a Go int"},
		{dict("kind", "k", "points", nil, "Loose", nil), `["ID"]`, "no such key"},
		{dict(), `["ID"]`, "no such key"},
	} {
		data, err := serializer.Marshal(test.value)
		require.NoError(t, err)
		err = serializer.Unmarshal(data, new(strictOuter))
		var e *serializer.LoadError
		require.ErrorAs(t, err, &e, test.path)
		assert.Equal(t, test.path, e.Path)
		assert.Contains(t, e.Error(), test.problem)
		assert.Contains(t, e.Error(), test.path)
	}
}

// TestJSONTags count where there is no execnet tag.
func TestJSONTags(t *testing.T) {
	type tagged struct {
		A int `json:"a"`
		B int `json:"b" execnet:"bee"`
		C int `json:"c" execnet:""`
		D int `json:"-"`
		E int `json:"-" execnet:"e"`
		F int `json:",omitempty"`
		//lint:ignore SA5008 encoding/json takes it for the name "-"
		G int `json:"-,"`
		H int `json:"h,omitempty"`
		I int `json:"i" execnet:"-"`
	}
	data, err := serializer.Marshal(tagged{A: 1, B: 2, C: 3, D: 4, E: 5, G: 7, I: 9})
	require.NoError(t, err)
	v, err := serializer.Loads(data)
	require.NoError(t, err)
	assert.Equal(t, serializer.NewDict("a", 1, "bee", 2, "C", 3, "e", 5, "-", 7).String(), v.(*serializer.Dict).String())
	var back tagged
	require.NoError(t, serializer.Unmarshal(data, &back))
	assert.Equal(t, tagged{A: 1, B: 2, C: 3, E: 5, G: 7}, back)
}

// Python's keys are in lower case, and Go's exported fields are not.
func TestKeysInLowerCase(t *testing.T) {
	type point struct {
		X, Y   int
		Name   string
		Tagged string `execnet:"Tagged"`
	}
	load := func(v any, into any) error {
		data, err := serializer.Dumps(v)
		require.NoError(t, err)
		return serializer.Unmarshal(data, into)
	}
	var p point
	require.NoError(t, load(serializer.NewDict("name", "a", "y", 2, "x", 1, "tagged", "b", "z", 3), &p))
	assert.Equal(t, point{X: 1, Y: 2, Name: "a"}, p, "a tag is exact")
	require.NoError(t, load(serializer.NewDict("NAME", "b", "Tagged", "c"), &p))
	assert.Equal(t, point{X: 1, Y: 2, Name: "b", Tagged: "c"}, p)

	var both struct {
		ID int
		Id string
		Lo int `execnet:"id"`
	}
	require.NoError(t, load(serializer.NewDict("id", 1, "Id", "two", "ID", 3), &both))
	assert.Equal(t, 1, both.Lo, "a field of exactly this name comes first")
	assert.Equal(t, "two", both.Id)
	assert.Equal(t, 3, both.ID)

	var strict struct {
		_ struct{} `execnet:",strict"`
		X int
	}
	require.NoError(t, load(serializer.NewDict("x", 4), &strict))
	assert.Equal(t, 4, strict.X)
}
