// Package sshconfig reads what says how to reach an ssh host: the arguments of "ssh=" and the
// configuration files, as ssh_config(5) describes them.
//
// It reads the files itself. The parser that most programs use, kevinburke/ssh_config, cuts a value
// at a "#" inside a word, lets "?" match nothing, takes "Match host a user b" for three hosts, and
// reads nothing at all of a configuration that includes a "Match final", as Fedora's does: settings
// would be lost without an error.
package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxIncludes bounds how deep Include goes, as in OpenSSH.
const maxIncludes = 16

// config collects the settings that apply to one host. Options of "ssh=" come first, then the
// files; of each keyword the first value counts, and those in pluralKeywords add up.
type config struct {
	ctx       context.Context // bounds the commands of "Match exec"
	stderr    io.Writer       // what these commands write to stderr goes there
	alias     string          // the host as "ssh=" names it
	localUser string
	home      string
	command   string // what the host is to run; "" for a jump host, which runs nothing

	first  map[string]setting // by lower-case keyword
	plural map[string][]string
	// route is the one of ProxyJump and ProxyCommand that was seen first, in lower case; the other
	// one is ignored.
	route string

	final     bool // this is the second pass, asked for by "Match final"
	wantFinal bool
}

// pluralKeywords are the keywords whose values add up.
var pluralKeywords = []string{"identityfile", "certificatefile", "sendenv", "setenv"}

// add records a setting unless the keyword has been set before.
func (c *config) add(s setting) error {
	key := keywordKey(s.keyword)
	if err := checkKeyword(key, s, c.ignoreUnknown()); err != nil {
		return err
	}
	if slices.Contains(pluralKeywords, key) {
		words, err := s.words()
		if err != nil {
			return err
		}
		if key == "identityfile" || key == "certificatefile" {
			words = words[:1]
		}
		c.first[key] = s // for where
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
	case "proxycommand", "localcommand", "remotecommand": // a shell reads these, with their quotes
	default:
		if _, err := s.words(); err != nil {
			return err
		}
	}
	c.first[key] = s
	return nil
}

// words returns the words of a setting's value, of which there must be at least one.
func (s setting) words() ([]string, error) {
	words, err := splitWords(s.value)
	if err == nil && len(words) == 0 {
		err = errors.New("it has no value")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s %s: %w", s.where, s.keyword, s.value, err)
	}
	return words, nil
}

// get returns the first word of a keyword's value, "" when it was not set.
func (c *config) get(keyword string) string {
	if words := c.words(keyword); len(words) > 0 {
		return words[0]
	}
	return ""
}

// words returns all the words of a keyword's value.
func (c *config) words(keyword string) []string {
	words, _ := splitWords(c.line(keyword)) // checked when it was added
	return words
}

// line returns a keyword's value unchanged, for those that a shell reads.
func (c *config) line(keyword string) string {
	return c.first[strings.ToLower(keyword)].value
}

// proxyCommand returns the command that leads to the host, "" for none.
func (c *config) proxyCommand() string { return unlessNone(c.line("ProxyCommand")) }

// proxyJump returns the list of jump hosts, "" for none.
func (c *config) proxyJump() string { return unlessNone(c.get("ProxyJump")) }

// unlessNone returns value, or "" if it is "none".
func unlessNone(value string) string {
	if strings.EqualFold(value, "none") {
		return ""
	}
	return value
}

// where returns the place of a keyword's setting.
func (c *config) where(keyword string) string {
	return c.first[strings.ToLower(keyword)].where
}

func (c *config) ignoreUnknown() []string {
	return strings.FieldsFunc(c.first["ignoreunknown"].value, func(r rune) bool { return r == ',' || r == ' ' })
}

// read reads all the files, and once more if one of them has a "Match final" or names are to be
// canonical.
func (c *config) read(files []File) error {
	for pass := 0; pass < 2; pass++ {
		for _, file := range files {
			if err := c.readFile(file, 0); err != nil {
				return err
			}
		}
		if !c.wantFinal && !c.canonicalizes() {
			break
		}
		c.final = true
	}
	return nil
}

// File is one configuration file, or the text of one.
type File struct {
	Path     string
	Text     string // read instead of the file when it is not empty; Path is its name then
	Folder   string // what relative Includes start from
	required bool
}

func (c *config) readFile(file File, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("%s: Include goes deeper than %d files; does one include itself?", file.Path, maxIncludes)
	}
	text := file.Text
	if text == "" {
		content, err := os.ReadFile(file.Path)
		if errors.Is(err, fs.ErrNotExist) && !file.required {
			return nil
		}
		if info, statErr := os.Stat(file.Path); err != nil && statErr == nil && info.IsDir() {
			return nil // OpenSSH opens a folder and finds no line in it
		}
		if err != nil {
			return fmt.Errorf("the configuration: %w", err)
		}
		text = string(content)
	}
	active := true
	for number, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", file.Path, number+1)
		s, blank, err := parseLine(line, where)
		if err != nil {
			return err
		}
		if blank {
			continue
		}
		switch strings.ToLower(s.keyword) {
		case "host":
			words, err := splitWords(s.value)
			if err != nil {
				return fmt.Errorf("%s: Host: %w", where, err)
			}
			// In OpenSSH, too, capitals matter here, but not in Match.
			active = MatchPatterns(words, c.alias)
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
func (c *config) include(s setting, parent File, depth int) error {
	patterns, err := splitWords(s.value)
	if err != nil {
		return fmt.Errorf("%s: Include: %w", s.where, err)
	}
	for _, pattern := range patterns {
		pattern = expandHome(c.home, pattern)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(parent.Folder, pattern)
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("%s: Include %s: %w", s.where, pattern, err)
		}
		for _, path := range paths {
			if err := c.readFile(File{Path: path, Folder: parent.Folder}, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// expandHome replaces a ~ that stands for the home folder.
func expandHome(home, path string) string {
	if path == "~" {
		return home
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(home, rest)
	}
	return path
}

// parseLine reads one line of a configuration file; blank is true for an empty line or a comment.
func parseLine(line, where string) (s setting, blank bool, err error) {
	line = strings.TrimRight(line, " \t\r\f")
	if trimmed := strings.TrimLeft(line, " \t"); trimmed == "" || trimmed[0] == '#' {
		return s, true, nil
	}
	keyword, value, ok := splitKeyword(line)
	if !ok {
		return s, false, fmt.Errorf("%s: %s has no value", where, keyword)
	}
	return setting{keyword, value, where}, false, nil
}

// splitKeyword splits "Keyword value", "Keyword=value" and "Keyword = value".
func splitKeyword(line string) (keyword, value string, ok bool) {
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

// splitWords splits a value into words: blanks separate, single and double quotes keep them
// together, a backslash keeps a quote or itself, and a "#" at the start of a word ends the line.
func splitWords(value string) (words []string, err error) {
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

// FirstHost returns the name behind the first Host of a configuration, "" if there is none. In what
// "vagrant ssh-config" prints it is the machine's name, or "default".
func FirstHost(text string) string {
	for _, line := range strings.Split(text, "\n") {
		s, blank, err := parseLine(line, "")
		if err == nil && !blank && strings.EqualFold(s.keyword, "host") {
			if words, err := splitWords(s.value); err == nil && len(words) > 0 {
				return words[0]
			}
		}
	}
	return ""
}
