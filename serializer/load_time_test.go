package serializer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

func TestTimesFromISOText(t *testing.T) {
	zone := func(seconds int) *time.Location { return time.FixedZone("", seconds) }
	for text, want := range map[string]time.Time{
		"2024-02-29":                       time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		"2024-02-29T23:59:58":              time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC),
		"2024-02-29T23:59:58.000001":       time.Date(2024, 2, 29, 23, 59, 58, 1000, time.UTC),
		"2024-02-29T23:59:58+00:00":        time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC),
		"2024-02-29T23:59:58.120000-05:30": time.Date(2024, 2, 29, 23, 59, 58, 120000000, zone(-19800)),
		"1883-11-18T12:00:00-04:56:02":     time.Date(1883, 11, 18, 12, 0, 0, 0, zone(-17762)),
		"0001-01-01T00:00:00":              {},
		"9999-12-31T23:59:59.999999+14:00": time.Date(9999, 12, 31, 23, 59, 59, 999999000, zone(50400)),
	} {
		data, err := serializer.Marshal(map[string]any{"At": text, "Maybe": text, "All": []any{text}})
		require.NoError(t, err)
		var got struct {
			At    time.Time
			Maybe *time.Time
			All   []time.Time
		}
		require.NoError(t, serializer.Unmarshal(data, &got), text)
		for _, at := range []time.Time{got.At, *got.Maybe, got.All[0]} {
			assert.True(t, want.Equal(at), "%s: %v", text, at)
			_, offset := want.Zone()
			_, its := at.Zone()
			assert.Equal(t, offset, its, text)
		}
	}
	for _, value := range []any{"", "12:30:00", "2024-02-30", "2024-02-29 10:00:00", 5, 5.5, []byte("2024-02-29"), []any{}} {
		data, err := serializer.Marshal([]any{value})
		require.NoError(t, err)
		var got []time.Time
		err = serializer.Unmarshal(data, &got)
		var load *serializer.LoadError
		require.ErrorAs(t, err, &load, "%v", value)
		assert.Equal(t, "[0]", load.Path)
		assert.Contains(t, err.Error(), "time.Time")
	}
	data, err := serializer.Marshal(nil)
	require.NoError(t, err)
	at := time.Unix(1, 0)
	require.NoError(t, serializer.Unmarshal(data, &at))
	assert.Equal(t, time.Unix(1, 0), at, "None leaves it as it is")
}
