package xspec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// CheckKeys returns an [*Error] for a key that this package does not know, and says which known one
// it resembles. Keys that begin with "x-" are left to programs that use them. Groups call it unless
// their AllowUnknownKeys is set; [Parse] keeps unknown keys in Extra, as execnet does, where nobody
// notices that popen//pyton=python2.7 runs another Python.
func (s *Spec) CheckKeys() error {
	for _, key := range slices.Sorted(maps.Keys(s.Extra)) {
		if strings.HasPrefix(key, "x-") {
			continue
		}
		problem := "it is unknown; "
		before := s.before(key)
		switch name := nearest(key); {
		case strings.ContainsAny(key, "/:@") && before != "":
			problem += fmt.Sprintf(`if it belongs to the value of %s, write "//" there as %s`, before, escapeOf(before))
		case name != "":
			problem += fmt.Sprintf("did you mean %q?", name)
		default:
			problem += "a key is one of " + strings.Join(knownKeys(), ", ") + ", or begins with x-"
		}
		return &Error{Spec: s.source, Key: key, Problem: problem}
	}
	return nil
}

// bareScheme is what "//" in a URL leaves in front of it.
var bareScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:$`)

// cutValue returns an error for a value that "//" has cut: one that is the beginning of a URL and
// is not the last. (Whoever means it can write it percent-encoded.)
func (s *Spec) cutValue() error {
	pairs := strings.Split(s.source, "//")
	for _, pair := range pairs[:len(pairs)-1] {
		key, value, _ := strings.Cut(pair, "=")
		if _, escaped := plainKey(key); !escaped && bareScheme.MatchString(value) {
			return &Error{Spec: s.source, Key: key, Problem: fmt.Sprintf(
				`its value ends at "//", which separates pairs, and is %q; write "//" inside a value as %s`, value, escapeOf(key))}
		}
	}
	return nil
}

// before returns the key of the pair in front of the one with key, if that has a value.
func (s *Spec) before(key string) string {
	last := ""
	for pair := range strings.SplitSeq(s.source, "//") {
		name, _, hasValue := strings.Cut(pair, "=")
		if name == key {
			return last
		}
		if last = ""; hasValue {
			last = name
		}
	}
	return ""
}

// escapeOf shows how a value with "//" is written.
func escapeOf(key string) string {
	return fmt.Sprintf(`"%s=...%%2F%%2F..."`, escapedKey(key))
}

// escapedKey is the form of a key whose value is percent-encoded.
func escapedKey(key string) string {
	if name, ok := strings.CutPrefix(key, "env:"); ok {
		return "env%:" + name
	}
	return strings.TrimSuffix(key, "%") + "%"
}

// plainKey returns the key that escapedKey was made from, and whether it was. Keys that have no
// percent-encoded form stay as they are.
func plainKey(key string) (string, bool) {
	if name, ok := strings.CutPrefix(key, "env%:"); ok {
		return "env:" + name, true
	}
	if name, ok := strings.CutSuffix(key, "%"); ok && stringKeys[name] != nil {
		return name, true
	}
	return key, false
}

// knownKeys are the keys that have a meaning here, in alphabetical order.
func knownKeys() []string {
	keys := slices.AppendSeq([]string{"env:NAME"}, maps.Keys(stringKeys))
	keys = slices.AppendSeq(keys, maps.Keys(intKeys))
	keys = slices.AppendSeq(keys, maps.Keys(boolKeys))
	slices.Sort(keys)
	return keys
}

// nearest returns the known key that a misspelt one was most likely meant to be, or "".
func nearest(key string) string {
	if word, name, ok := strings.Cut(key, ":"); ok && name != "" && distance(strings.ToLower(word), "env") < 2 {
		return "env:" + name
	}
	best, least := "", 1+max(1, len(key)/3)
	for _, known := range knownKeys() {
		if d := distance(strings.ToLower(key), known); d < least {
			best, least = known, d
		}
	}
	return best
}

// distance is how many letters must be added, left out, replaced or swapped with their neighbour to
// turn one text into the other.
func distance(a, b string) int {
	var twoAbove, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		twoAbove, above, row = above, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], twoAbove[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
