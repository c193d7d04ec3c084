package farend

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTail(t *testing.T) {
	var tail Tail
	write := func(b []byte) {
		n, err := tail.Write(b)
		require.NoError(t, err)
		require.Equal(t, len(b), n)
	}
	assert.Empty(t, tail.String())
	var all strings.Builder
	for i := range 3000 {
		piece := []byte(strings.Repeat("é", i%17) + "|")
		write(piece)
		all.Write(piece)
		got := tail.String()
		require.True(t, utf8.ValidString(got))
		if all.Len() <= tailSize+headSize {
			require.Equal(t, all.String(), got)
			continue
		}
		head, end, found := strings.Cut(got, fmt.Sprintf("\n[... %d bytes are left out here ...]\n", all.Len()-tailSize-headSize))
		require.True(t, found)
		require.Equal(t, strings.TrimSuffix(all.String()[:headSize], "\xc3"), head)
		require.Equal(t, strings.TrimPrefix(all.String()[all.Len()-tailSize:], "\xa9"), end)
	}
	write(bytes.Repeat([]byte("x"), 3*tailSize))
	assert.True(t, strings.HasSuffix(tail.String(), "]\n"+strings.Repeat("x", tailSize)))
	assert.LessOrEqual(t, len(tail.String()), tailSize+headSize+100)
}

// TestCrashReports has logs, then a long report of a crash, and then more than a Tail keeps.
func TestCrashReports(t *testing.T) {
	for first, more := range map[string]string{
		"runtime: goroutine stack exceeds 1000000000-byte limit": "fatal error: stack overflow",
		"panic: so":                              "\tpanic: again",
		"fatal error: all goroutines are asleep": "",
		"SIGQUIT: quit":                          "PC=0x1 m=0 sigcode=0",
		"Fatal Python error: Segmentation fault": "Current thread 0x1 (most recent call first):",
	} {
		for _, piece := range []int{61, 4096, 1 << 20} {
			for _, frames := range []int{0, 30, 3000} {
				text := strings.Repeat("a line of a log\n", 3000) + "panic: an old one\n" + strings.Repeat("log\n", 5000) +
					first + "\n" + more + "\n" + strings.Repeat("  frame of a function\n", frames) + "the end\n"
				var tail Tail
				for part := range slices.Chunk([]byte(text), piece) {
					_, err := tail.Write(part)
					require.NoError(t, err)
				}
				got := tail.String()
				assert.Contains(t, "\n"+got, "\n"+first+"\n"+more+"\n", "%d frames in pieces of %d", frames, piece)
				assert.True(t, strings.HasSuffix(got, "the end\n"))
				assert.LessOrEqual(t, len(got), tailSize+2*headSize+100)
				shown := StderrText(got)
				assert.Contains(t, shown, "\n  "+first+"\n")
				assert.True(t, strings.HasSuffix(shown, "\n  the end"))
				assert.LessOrEqual(t, strings.Count(shown, "\n"), shownLines+shownCrash+2)
			}
		}
	}
}
