package serializer

// isASCII reports whether s is ASCII, and so valid UTF-8. Most strings are short and ASCII, for
// which this is several times as fast as package utf8: it looks at eight bytes at a time, the last
// ones too.
func isASCII[T string | []byte](s T) bool {
	n := len(s)
	if n < 8 {
		var all byte
		for i := range n {
			all |= s[i]
		}
		return all < 0x80
	}
	all := word(s[n-8:])
	for i := 0; i+8 <= n; i += 8 {
		all |= word(s[i : i+8])
	}
	return all&0x8080808080808080 == 0
}

// word is the first eight bytes of s, which the compiler loads at once.
func word[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
