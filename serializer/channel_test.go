package serializer_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

type fakeChannel int32

func (c fakeChannel) ExecnetChannelID() int32 { return int32(c) }

type channelStruct struct{ id int32 }

func (c *channelStruct) ExecnetChannelID() int32 { return c.id }

// table makes a *channelStruct for each id, and refuses those below zero.
type table map[int32]*channelStruct

var errForeign = errors.New("of another gateway")

func (t table) CheckChannel(ch serializer.Channel) error {
	if ch.ExecnetChannelID() < 0 {
		return errForeign
	}
	return nil
}

func (t table) Channel(id int32) (any, error) {
	if id < 0 {
		return nil, errForeign
	}
	if t[id] == nil {
		t[id] = &channelStruct{id}
	}
	return t[id], nil
}

func TestChannels(t *testing.T) {
	chans := table{}
	c := serializer.Codec{Channels: chans}
	data, err := c.Append(nil, []any{&channelStruct{7}, (*channelStruct)(nil), map[string]*channelStruct{"x": {9}}})
	require.NoError(t, err)

	v, err := c.Load(data)
	require.NoError(t, err)
	items := v.([]any)
	assert.Same(t, chans[7], items[0])
	assert.Nil(t, items[1])
	ch, _ := items[2].(*serializer.Dict).Get("x")
	assert.Same(t, chans[9], ch)

	var ids []int32
	require.NoError(t, new(serializer.Codec).ChannelIDs(data, func(id int32) error { ids = append(ids, id); return nil }))
	assert.Equal(t, []int32{7, 9}, ids)
	assert.ErrorIs(t, new(serializer.Codec).ChannelIDs(data, func(int32) error { return errForeign }), errForeign)

	var typed struct {
		Ch    *channelStruct
		Iface serializer.Channel
		Any   any
		Map   map[string]*channelStruct
	}
	data, err = c.Append(nil, map[string]any{"Ch": chans[7], "Iface": chans[7], "Any": chans[9], "Map": map[string]any{"k": chans[9]}})
	require.NoError(t, err)
	require.NoError(t, c.Unmarshal(data, &typed))
	assert.Same(t, chans[7], typed.Ch)
	assert.Same(t, chans[7], typed.Iface)
	assert.Same(t, chans[9], typed.Any)
	assert.Same(t, chans[9], typed.Map["k"])

	// As keys, channels go by identity.
	data, err = c.Append(nil, serializer.NewDict(chans[7], "seven"))
	require.NoError(t, err)
	v, err = c.Load(data)
	require.NoError(t, err)
	name, _ := v.(*serializer.Dict).Get(chans[7])
	assert.Equal(t, "seven", name)
	_, found := v.(*serializer.Dict).Get(&channelStruct{7})
	assert.False(t, found)
}

func TestChannelsRefused(t *testing.T) {
	c := serializer.Codec{Channels: table{}}
	_, err := c.Append(nil, []any{fakeChannel(-1)})
	assert.ErrorIs(t, err, errForeign)
	var de *serializer.DumpError
	require.ErrorAs(t, err, &de)
	assert.Equal(t, "[0]", de.Path)

	_, err = c.Load([]byte(n32('B', -1) + "Q"))
	assert.ErrorIs(t, err, errForeign)

	var text string
	err = c.Unmarshal([]byte(n32('B', 1)+"Q"), &text)
	assert.ErrorContains(t, err, "a Python Channel does not fit a Go string")
}

func TestChannelIDsOfUnsoundData(t *testing.T) {
	called := false
	f := func(int32) error { called = true; return nil }
	var le *serializer.LoadError
	require.ErrorAs(t, new(serializer.Codec).ChannelIDs([]byte(n32('B', 1)), f), &le)
	assert.False(t, called)
	// The byte 'B' within a string is no channel.
	require.NoError(t, new(serializer.Codec).ChannelIDs([]byte(n32('N', 5)+"BBBBBQ"), f))
	assert.False(t, called)
}

// TestChannelIDsOfLongStrings: what is one string is not searched, whatever it holds, and what only
// looks like one is.
func TestChannelIDsOfLongStrings(t *testing.T) {
	var codec serializer.Codec
	count := func(data string) (n int, err error) {
		err = codec.ChannelIDs([]byte(data), func(int32) error { n++; return nil })
		return n, err
	}
	for _, op := range "AMNS" {
		n, err := count(string(op) + "\x00\x00\x00\x06B\x00\x00\x00\x01QQ")
		require.NoError(t, err)
		assert.Zero(t, n)
	}
	n, err := count("A\x00\x00\x00\x01xB\x00\x00\x00\x01@\x00\x00\x00\x02Q")
	require.NoError(t, err)
	assert.Equal(t, 1, n, "a channel behind a string, in a tuple")
	for _, wrong := range []string{"A\x00\x00\x00\x07B\x00\x00\x00\x01QQ", "A\xff\xff\xff\xffBQ", "A\x00\x00\x00\x00BQ"} {
		_, err = count(wrong)
		assert.Error(t, err, "%q", wrong)
	}
}
