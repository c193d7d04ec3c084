package gatewaybase

import "strings"

// dedent removes the indentation that all lines of source have in common, as Python's
// textwrap.dedent does: lines of white space alone do not count and become empty, and tabs and
// spaces are different.
func dedent(source string) string {
	lines := strings.Split(source, "\n")
	margin, found := "", false
	for i, line := range lines {
		code := strings.TrimLeft(line, " \t")
		if code == "" {
			lines[i] = ""
			continue
		}
		indent := line[:len(line)-len(code)]
		if !found {
			margin, found = indent, true
		}
		for !strings.HasPrefix(indent, margin) {
			margin = margin[:len(margin)-1]
		}
	}
	if margin == "" {
		return strings.Join(lines, "\n")
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n")
}
