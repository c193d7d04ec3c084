package paths

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	for _, bad := range []string{"", ".", "..", "a/b", "/", "/etc", "../x", "a\x00b", "\x00"} {
		var unsafe *UnsafeError
		require.ErrorAs(t, CheckName(bad), &unsafe, "%q", bad)
		assert.Equal(t, bad, unsafe.Path)
	}
	for _, good := range []string{"a", "...", ".hidden", "two words", "é", "\xff\xfe", "-rf", "a\nb", strings.Repeat("x", 255)} {
		assert.NoError(t, CheckName(good), "%q", good)
	}
}

func TestUnfitForWindows(t *testing.T) {
	for _, bad := range []string{"a:b", `a\b`, "a*", "what?", `"`, "<", ">", "a|b", "a\nb", "\x1f", "dot.", "space ", "...",
		"aux", "AUX", "Con.txt", "nul .tar.gz", "com1", "LPT9.x", "com¹", "lpt³", "conin$", "CONOUT$", "prn", "\xff", "a\xed\x20\x80", "\xc3"} {
		assert.NotEmpty(t, UnfitForWindows(bad), "%q", bad)
	}
	for _, good := range []string{"a", "auxiliary", "a.aux", "com", "com0", "com10", "COM1x", "lpt", ".hidden", "two words", "é", "日本", "-rf", " space",
		"con-fig", "\U0001f600", "a\xed\xa0\x80b", "con$"} {
		assert.Empty(t, UnfitForWindows(good), "%q", good)
	}
}

func TestWrap(t *testing.T) {
	err := Wrap("cannot write", "/a/\xff\x1b", &fs.PathError{Op: "openat", Path: "x", Err: syscall.ENOSPC})
	assert.EqualError(t, err, `execnet: rsync: cannot write "/a/\xff\x1b": no space left on device`)
	assert.ErrorIs(t, err, syscall.ENOSPC)
}
