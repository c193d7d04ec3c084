package paths

import (
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
)

// Unfit says why no entry can have a name on this system although it is a safe one; empty if one
// can. It is always empty where names are bytes.
func Unfit(name string) string {
	if runtime.GOOS == "windows" {
		return UnfitForWindows(name)
	}
	return ""
}

// UnfitForWindows is Unfit on Windows. There a name may have other meanings, as that of a device or
// of a stream of a file, or lose its end.
func UnfitForWindows(name string) string {
	device, _, _ := strings.Cut(name, ".")
	device = strings.ToUpper(strings.TrimRight(device, " "))
	switch {
	case strings.ContainsAny(name, `\:*?"<>|`):
		return `EINVAL: a name on Windows cannot have \ : * ? " < > or | in it`
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "EINVAL: a name on Windows cannot have control characters in it"
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "EINVAL: a name on Windows cannot end with a dot or a space"
	case slices.Contains(devices, device) || isPort(device):
		return "EINVAL: on Windows this is the name of a device"
	case !isUnicode(name):
		return "EILSEQ: a name on Windows is Unicode"
	}
	return ""
}

var devices = []string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}

// isPort reports whether a name is COM1 to COM9 or LPT1 to LPT9; the superscripts of 1 to 3 count
// as digits.
func isPort(name string) bool {
	digit, ok := strings.CutPrefix(name, "COM")
	if !ok {
		digit, ok = strings.CutPrefix(name, "LPT")
	}
	return ok && utf8.RuneCountInString(digit) == 1 && strings.Contains("123456789¹²³", digit)
}

// isUnicode reports whether a name is UTF-8, with lone surrogates allowed, as names of Windows can
// have them.
func isUnicode(name string) bool {
	for len(name) > 0 {
		_, n := utf8.DecodeRuneInString(name)
		if n == 1 && name[0] >= utf8.RuneSelf {
			// A surrogate is ED, A0 to BF, 80 to BF.
			if len(name) < 3 || name[0] != 0xed || name[1]&0xe0 != 0xa0 || name[2]&0xc0 != 0x80 {
				return false
			}
			n = 3
		}
		name = name[n:]
	}
	return true
}
