package sshconfig

import (
	"cmp"
	"fmt"
	"strings"
)

// opensshVersion is what "Match version" compares with: the release of OpenSSH whose rules this
// package follows.
const opensshVersion = "OpenSSH_10.2"

// match reports whether a Match line applies. A criterion that is not known is refused, unless an
// earlier one of the line does not apply.
func (c *config) match(s setting) (bool, error) {
	words, err := s.words()
	if err != nil {
		return false, err
	}
	result := true
	for i := 0; i < len(words); i++ {
		criterion, argument, joined := strings.Cut(words[i], "=")
		name, negated := strings.CutPrefix(strings.ToLower(criterion), "!")
		yes := false
		switch name {
		case "all":
			yes = true
		case "canonical":
			yes = c.final
		case "final":
			c.wantFinal = true
			yes = c.final
		default:
			if !joined {
				if i+1 == len(words) {
					return false, fmt.Errorf("%s: Match %s has no value", s.where, criterion)
				}
				i++
				argument = words[i]
			}
			if !result {
				continue // as in OpenSSH, nothing more is evaluated
			}
			if yes, err = c.applies(name, argument, s.where); err != nil {
				return false, err
			}
		}
		result = result && yes != negated
	}
	return result, nil
}

// applies evaluates a criterion that has an argument.
func (c *config) applies(name, argument, where string) (bool, error) {
	subject := ""
	switch name {
	case "host":
		subject = c.hostName()
	case "originalhost":
		subject = c.alias
	case "user":
		subject = cmp.Or(c.get("User"), c.localUser)
	case "localuser":
		subject = c.localUser
	case "tagged":
		subject = c.get("Tag")
	case "version":
		subject = opensshVersion
	case "command":
		subject = c.command
	case "sessiontype":
		subject = "exec"
		if c.command == "" {
			subject = "none" // a jump host
		}
	case "exec":
		return c.matchExec(argument, where)
	case "localnetwork":
		return matchNetwork(argument, where)
	default:
		return false, &UnsupportedError{What: "Match " + name, Where: where}
	}
	if name == "host" || name == "originalhost" {
		argument, subject = strings.ToLower(argument), strings.ToLower(subject)
	}
	return MatchPatterns(strings.Split(argument, ","), subject), nil
}

// hostName is the host to connect to, as far as the lines read so far tell.
func (c *config) hostName() string {
	if name := c.get("HostName"); name != "" {
		return strings.NewReplacer("%%", "%", "%h", c.alias).Replace(name)
	}
	return c.alias
}

// MatchPatterns reports whether one of the patterns fits and none that is negated with "!" does.
func MatchPatterns(patterns []string, subject string) bool {
	found := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if matchPattern(pattern, subject) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
}

// matchPattern matches "*" with anything and "?" with one character. On a mismatch it goes back
// to the last "*" only, so that its time stays within len(pattern)*len(subject).
func matchPattern(pattern, subject string) bool {
	p, s, star, mark := 0, 0, -1, 0
	for s < len(subject) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, s
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == subject[s]):
			p++
			s++
		case star >= 0:
			mark++
			p, s = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
