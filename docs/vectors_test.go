package docs_test

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

// protocolSection is the part of protocol.md from one heading to another.
func protocolSection(t *testing.T, from, to string) string {
	t.Helper()
	text, err := os.ReadFile("protocol.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), from)
	require.True(t, found, from)
	section, _, found = strings.Cut(section, to)
	require.True(t, found, to)
	return section
}

// rows are the first cells of a section's tables, by pattern.
func rows(t *testing.T, section, pattern string, least int) [][]string {
	t.Helper()
	found := regexp.MustCompile(`(?m)`+pattern).FindAllStringSubmatch(section, -1)
	require.GreaterOrEqual(t, len(found), least)
	return found
}

func bytesOf(t *testing.T, digits string) []byte {
	t.Helper()
	data, err := hex.DecodeString(digits)
	require.NoError(t, err, digits)
	return data
}

// TestVectors loads and writes what appendix B of protocol.md lists.
func TestVectors(t *testing.T) {
	for _, row := range rows(t, protocolSection(t, "### B.1", "### B.2"), "^\\| (.+) \\| `([0-9a-f]+)` \\|$", 43) {
		value, err := serializer.Loads(bytesOf(t, row[2]))
		require.NoError(t, err, row[1])
		data, err := serializer.Dumps(value)
		require.NoError(t, err, row[1])
		assert.Equal(t, row[2], hex.EncodeToString(data), row[1])
	}
	for _, row := range rows(t, protocolSection(t, "### B.2", "### B.3"), "^\\| (.+) \\| `([0-9a-f]+)` \\|$", 20) {
		if row[1] == "`u\"\\ud800\"`" {
			continue // no str of Python 3
		}
		_, err := serializer.Loads(bytesOf(t, row[2]))
		assert.NoError(t, err, row[1])
	}
	for _, row := range rows(t, protocolSection(t, "### B.4", "## Appendix C"), "^\\| (?:`([0-9a-f]+)`|\\(empty\\)) \\| (.+) \\| .+ \\|$", 22) {
		value, err := serializer.Loads(bytesOf(t, "02"+row[1]))
		switch row[2] {
		case "error":
			assert.Error(t, err, row[1])
		case "error or [None, None]":
			if err == nil {
				assert.Equal(t, []any{nil, nil}, value)
			}
		default:
			require.NoError(t, err, row[1])
			text, err := serializer.Dumps(value)
			require.NoError(t, err)
			assert.NotEmpty(t, text)
		}
	}
}

// TestCapturedMessages reads the messages that protocol.md shows whole: lengths and payloads have
// to be right.
func TestCapturedMessages(t *testing.T) {
	const beforeComments = 58 // in appendix A, where some comments are digits
	messages := captured(protocolSection(t, "# The execnet", "## 11 rsync"), -1)
	messages = append(messages, captured(protocolSection(t, "## Appendix A", "## Appendix B"), beforeComments)...)
	require.GreaterOrEqual(t, len(messages), 20)
	for _, message := range messages {
		data := bytesOf(t, message)
		assert.Less(t, data[0], byte(8), message)
		assert.EqualValues(t, len(data)-9, binary.BigEndian.Uint32(data[5:]), message)
		if len(data) == 9 || data[9] == 'B' {
			continue // no payload, or a channel, which only a gateway loads
		}
		_, err := serializer.Loads(append([]byte{2}, data[9:]...))
		assert.NoError(t, err, message)
	}
}

// captured returns the hexadecimal digits of the messages in indented blocks. A message begins with
// ">" or "<". Those with "..." in them are not whole and are left out. If width is not negative, no
// line has digits beyond it.
func captured(text string, width int) []string {
	var messages []string
	message, inside := "", false
	end := func() {
		if inside && len(message) >= 2*9 && !strings.Contains(message, ".") {
			messages = append(messages, message)
		}
		message, inside = "", false
	}
	for line := range strings.Lines(text) {
		if width >= 0 && len(line) > width {
			line = line[:width]
		}
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "    ") || len(words) == 0 {
			end()
			continue
		}
		if words[0] == ">" || words[0] == "<" {
			end()
			words, inside = words[1:], true
		}
		for _, word := range words {
			if strings.Trim(word, "0123456789abcdef.") != "" {
				break // a comment
			}
			message += word
		}
	}
	end()
	return messages
}
