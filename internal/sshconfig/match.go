package sshconfig

import (
	"fmt"
	"strings"
)

// match reports whether a Match line applies. Criteria that would need a program or the network
// (exec, localnetwork, tagged and what newer versions add) are refused, unless an earlier criterion
// of the line does not apply.
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
			var subject string
			switch name {
			case "host":
				subject = c.hostName()
			case "originalhost":
				subject = c.alias
			case "user":
				if subject = c.get("User"); subject == "" {
					subject = c.localUser
				}
			case "localuser":
				subject = c.localUser
			default:
				return false, &UnsupportedError{What: "Match " + criterion, Where: s.where}
			}
			yes = matchPatterns(strings.Split(argument, ","), subject)
		}
		result = result && yes != negated
	}
	return result, nil
}

// hostName is the host to connect to, as far as the lines read so far tell.
func (c *config) hostName() string {
	if name := c.get("HostName"); name != "" {
		return strings.NewReplacer("%%", "%", "%h", c.alias).Replace(name)
	}
	return c.alias
}

// matchPatterns reports whether one of the patterns fits and none that is negated with "!" does.
func matchPatterns(patterns []string, subject string) bool {
	found := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if matchPattern(strings.ToLower(pattern), strings.ToLower(subject)) {
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
