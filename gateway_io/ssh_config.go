package gatewayio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxSSHIncludes bounds how deep Include goes, as in OpenSSH.
const maxSSHIncludes = 16

// sshConfig gathers the settings that apply to one host. Options of "ssh=" come first, then the
// files; of each keyword the first value counts, and those in sshPluralKeywords add up.
//
// It reads the files itself. The parser that most programs use, kevinburke/ssh_config, cuts a value
// at a "#" inside a word, lets "?" match nothing, takes "Match host a user b" for three hosts, and
// reads nothing at all of a configuration that includes a "Match final", as Fedora's does: settings
// would be lost without a word.
type sshConfig struct {
	alias     string // the host as "ssh=" names it
	localUser string
	home      string

	first  map[string]sshSetting // by lower-case keyword
	plural map[string][]string
	// route is the lower-case one of ProxyJump and ProxyCommand that was seen first: it rules the
	// other one out.
	route string

	final     bool // this is the second pass, asked for by "Match final"
	wantFinal bool
}

// sshPluralKeywords are the keywords whose values add up.
var sshPluralKeywords = []string{"identityfile", "certificatefile", "sendenv", "setenv"}

// add records a setting unless the keyword has been set before.
func (c *sshConfig) add(s sshSetting) error {
	key := strings.ToLower(s.keyword)
	if err := checkSSHKeyword(key, s, c.ignoreUnknown()); err != nil {
		return err
	}
	if slices.Contains(sshPluralKeywords, key) {
		words, err := splitSSHWords(s.value)
		if err != nil || len(words) == 0 {
			return fmt.Errorf("%s: %s %s: %w", s.where, s.keyword, s.value, noSSHValue(err))
		}
		if key == "identityfile" || key == "certificatefile" {
			words = words[:1]
		}
		c.first[key] = s // for the place
		for _, word := range words {
			if !slices.Contains(c.plural[key], word) {
				c.plural[key] = append(c.plural[key], word)
			}
		}
		return nil
	}
	if key == "proxyjump" || key == "proxycommand" {
		if c.route != "" && c.route != key {
			return nil
		}
		c.route = key
	}
	if _, known := c.first[key]; known {
		return nil
	}
	switch key {
	case "proxycommand", "localcommand", "remotecommand": // a shell reads these: quotes and all belong to it
	default:
		words, err := splitSSHWords(s.value)
		if err != nil || len(words) == 0 {
			return fmt.Errorf("%s: %s %s: %w", s.where, s.keyword, s.value, noSSHValue(err))
		}
	}
	c.first[key] = s
	return nil
}

func noSSHValue(err error) error {
	if err == nil {
		return errors.New("it has no value")
	}
	return err
}

// get returns the first word of a keyword's value, "" when it was not set.
func (c *sshConfig) get(keyword string) string {
	if words := c.words(keyword); len(words) > 0 {
		return words[0]
	}
	return ""
}

// words returns all the words of a keyword's value.
func (c *sshConfig) words(keyword string) []string {
	words, _ := splitSSHWords(c.first[strings.ToLower(keyword)].value) // checked when it was added
	return words
}

// line returns a keyword's value as it stands, for those that a shell reads.
func (c *sshConfig) line(keyword string) string {
	return c.first[strings.ToLower(keyword)].value
}

func (c *sshConfig) where(keyword string) string {
	return c.first[strings.ToLower(keyword)].where
}

func (c *sshConfig) ignoreUnknown() []string {
	return strings.FieldsFunc(c.first["ignoreunknown"].value, func(r rune) bool { return r == ',' || r == ' ' })
}

// read reads all the files, and once more if one of them has a "Match final".
func (c *sshConfig) read(files []sshConfigFile) error {
	for pass := 0; pass < 2; pass++ {
		for _, file := range files {
			if err := c.readFile(file, 0); err != nil {
				return err
			}
		}
		if !c.wantFinal || c.final {
			break
		}
		c.final = true
	}
	return nil
}

// sshConfigFile is one configuration file, or the text of one.
type sshConfigFile struct {
	path     string
	text     string // read instead of path when it is not empty; path is its name then
	folder   string // what relative Includes start from
	required bool
}

func (c *sshConfig) readFile(file sshConfigFile, depth int) error {
	if depth > maxSSHIncludes {
		return fmt.Errorf("%s: Include goes deeper than %d files; does one include itself?", file.path, maxSSHIncludes)
	}
	text := file.text
	if text == "" {
		content, err := os.ReadFile(file.path)
		if errors.Is(err, fs.ErrNotExist) && !file.required {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ssh configuration: %w", err)
		}
		text = string(content)
	}
	active := true
	for number, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", file.path, number+1)
		s, blank, err := parseSSHLine(line, where)
		if err != nil {
			return err
		}
		if blank {
			continue
		}
		switch strings.ToLower(s.keyword) {
		case "host":
			words, err := splitSSHWords(s.value)
			if err != nil {
				return fmt.Errorf("%s: Host: %w", where, err)
			}
			active = matchSSHPatterns(words, c.alias)
		case "match":
			if active, err = c.match(s); err != nil {
				return err
			}
		case "include":
			if active {
				if err := c.include(s, file, depth); err != nil {
					return err
				}
			}
		default:
			if active {
				if err := c.add(s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// include reads the files that an Include line names, in the order of their names; those that do
// not exist are left out.
func (c *sshConfig) include(s sshSetting, parent sshConfigFile, depth int) error {
	patterns, err := splitSSHWords(s.value)
	if err != nil {
		return fmt.Errorf("%s: Include: %w", s.where, err)
	}
	for _, pattern := range patterns {
		pattern = c.expandHome(pattern)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(parent.folder, pattern)
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("%s: Include %s: %w", s.where, pattern, err)
		}
		for _, path := range paths {
			if err := c.readFile(sshConfigFile{path: path, folder: parent.folder}, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *sshConfig) expandHome(path string) string {
	if path == "~" {
		return c.home
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(c.home, rest)
	}
	return path
}

// parseSSHLine reads one line of a configuration file; blank is true for one that says nothing.
func parseSSHLine(line, where string) (s sshSetting, blank bool, err error) {
	line = strings.TrimRight(line, " \t\r\f")
	if trimmed := strings.TrimLeft(line, " \t"); trimmed == "" || trimmed[0] == '#' {
		return s, true, nil
	}
	keyword, value, ok := splitSSHKeyword(line)
	if !ok {
		return s, false, fmt.Errorf("%s: %s has no value", where, keyword)
	}
	return sshSetting{keyword, value, where}, false, nil
}

// splitSSHKeyword splits "Keyword value", "Keyword=value" and "Keyword = value".
func splitSSHKeyword(line string) (keyword, value string, ok bool) {
	line = strings.Trim(line, " \t")
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return line, "", false
	}
	keyword = strings.Trim(line[:end], `"`)
	value = strings.TrimLeft(line[end:], " \t")
	if rest, found := strings.CutPrefix(value, "="); found {
		value = strings.TrimLeft(rest, " \t")
	}
	return keyword, value, value != "" && keyword != ""
}

// splitSSHWords splits a value into words: blanks separate, single and double quotes keep them
// together, a backslash keeps a quote or itself, and a "#" at the start of a word ends the line.
func splitSSHWords(value string) (words []string, err error) {
	var word strings.Builder
	inWord, quote := false, byte(0)
	for i := 0; i < len(value); i++ {
		ch := value[i]
		switch {
		case ch == '\\' && i+1 < len(value) && (strings.IndexByte(`'"\`, value[i+1]) >= 0 || quote == 0 && value[i+1] == ' '):
			i++
			word.WriteByte(value[i])
			inWord = true
		case quote != 0:
			if ch == quote {
				quote = 0
			} else {
				word.WriteByte(ch)
			}
		case ch == '"' || ch == '\'':
			quote, inWord = ch, true
		case ch == ' ' || ch == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case ch == '#' && !inWord:
			return words, nil
		default:
			word.WriteByte(ch)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
