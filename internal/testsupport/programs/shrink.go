package programs

import "strings"

// Shrink makes a program smaller as long as holds reports that it still shows what is looked for:
// it leaves out statements with what is indented below them, and heads of blocks.
func Shrink(source string, holds func(source string) bool) string {
	lines := strings.Split(strings.TrimRight(source, "\n"), "\n")
	for again := true; again; {
		again = false
		for level := 0; level <= 40; level += 4 { // large parts first
			for i := len(lines) - 1; i >= 0; i-- {
				if i >= len(lines) || indentOf(lines[i]) != level {
					continue
				}
				end := blockEnd(lines, i)
				for _, fewer := range [][]string{
					append(append([]string{}, lines[:i]...), lines[end:]...),
					emptied(lines, i, end),
					outdented(lines, i, end),
				} {
					if fewer != nil && holds(strings.Join(fewer, "\n")+"\n") {
						lines, again = fewer, true
						break
					}
				}
			}
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// blockEnd is where what is indented below line i ends.
func blockEnd(lines []string, i int) int {
	end := i + 1
	for end < len(lines) && indentOf(lines[end]) > indentOf(lines[i]) {
		end++
	}
	return end
}

// outdented leaves out line i, and keeps what is indented below it. It is nil if that is nothing.
func outdented(lines []string, i, end int) []string {
	if end == i+1 {
		return nil
	}
	fewer := append([]string{}, lines[:i]...)
	for _, line := range lines[i+1 : end] {
		fewer = append(fewer, strings.TrimPrefix(line, "    "))
	}
	return append(fewer, lines[end:]...)
}

// emptied puts pass in the place of a line that is alone in its block.
func emptied(lines []string, i, end int) []string {
	if strings.TrimSpace(lines[i]) == "pass" {
		return nil
	}
	fewer := append([]string{}, lines[:i]...)
	fewer = append(fewer, lines[i][:indentOf(lines[i])]+"pass")
	return append(fewer, lines[end:]...)
}
