package testrun

import (
	"regexp"
	"strings"
	"unicode"
)

// Selection chooses tests of a suite: files, before anything of them is imported, and then among
// the tests that were collected.
type Selection struct {
	// Only and Not leave out files and folders by their paths below pytest's rootdir. Each is a
	// list of alternatives, and each of these a list of Python's regular expressions for the
	// elements of a path, from the first on, in which "_" stands for each space. Left out is what
	// none of Only matches, unless that is nil, and what one of Not matches with all its
	// expressions.
	Only, Not [][]string
	// Test is asked for each of the tests that were collected, in their order, and gets the pointer
	// that the events of the test will have. Nil selects all. Each does not ask it.
	Test func(*Test) bool
}

// OnlyFiles selects the tests of files, which have their paths below pytest's rootdir, with "/".
func OnlyFiles(paths ...string) Selection {
	only := make([][]string, len(paths))
	for i, path := range paths {
		path = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return '_'
			}
			return r
		}, path)
		for element := range strings.SplitSeq(path, "/") {
			only[i] = append(only[i], "^"+regexp.QuoteMeta(element)+"$")
		}
	}
	return Selection{Only: only}
}
