package testrun

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

// TestShortForm reads the form that most tests end with, and compares it with the long one.
func TestShortForm(t *testing.T) {
	packed, err := binary.Append(nil, binary.BigEndian, next{7, 1e9, 0.5, 0.25, 0.125, 0.0625, 8, 1e9 + 0.5})
	require.NoError(t, err)
	short, err := decode("gw0", packed)
	require.NoError(t, err)
	long, err := decode("gw0", []any{
		serializer.Tuple{"passed", int64(7), 1e9, 0.5, 0.25, 0.125, 0.0625}, serializer.Tuple{"start", int64(8), 1e9 + 0.5}})
	require.NoError(t, err)
	assert.Equal(t, long, short)
	assert.Equal(t, started{8, time.Unix(1e9, 5e8)}, short[1])

	for _, damaged := range [][]byte{{}, packed[1:], append(packed, 0)} {
		_, err := decode("gw0", damaged)
		assert.ErrorContains(t, err, "cannot be understood")
	}
}
