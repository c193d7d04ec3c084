package bootstrap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-execnet/execnet/xspec"
)

// recognise takes from the text of a first line what it asks for; second tells that another line
// belongs to it. It knows texts by how they begin, and reads what this module's drivers write from
// the first byte to the last.
func recognise(text string) (inv *Invitation, second bool, err error) {
	inv = &Invitation{}
	s := &scanner{rest: text}
	switch {
	case s.sees(serveFormat):
		s.servePopen(inv)
	case s.sees(cachedFormat):
		var dir, again string
		if s.format(cachedFormat, &dir, &again); dir != again {
			s.fail("expected the folder that was inserted")
		}
		s.servePopen(inv)
		s.expect("\n")
		second = true
	case s.sees(importFormat):
		s.expect(importFormat)
		s.setUpLines(inv)
		inv.Style = StyleImport
		s.format(importServeFormat, &inv.ExecModel, &inv.ID)
	case s.sees(socketSetUpFormat):
		var lines string
		s.format(socketSetUpFormat, &lines)
		setUp := scanner{rest: lines}
		setUp.setUpLines(inv)
		if setUp.end(); setUp.err != nil {
			return nil, false, fmt.Errorf("in what a socket server is to set up: %w", setUp.err)
		}
		s.socketSource(inv)
	case s.sees(importSocketFormat):
		s.socketSource(inv)
	case s.sees(packedFormat):
		s.packedWorker()
		if s.sees(serveSocketFormat) {
			s.serveSocket(inv)
		} else {
			s.servePopen(inv)
			s.expect("\n")
		}
	default:
		s.reference(inv)
	}
	s.end()
	switch {
	case s.err != nil:
		return nil, false, s.err
	case inv.ExecModel != "" && !slices.Contains(xspec.ExecModels(), inv.ExecModel):
		return nil, false, fmt.Errorf("the execution model %+q is unknown; it is one of %s", beginning(inv.ExecModel), strings.Join(xspec.ExecModels(), ", "))
	case inv.ExecModel == "" && inv.Style != StyleSocket:
		return nil, false, errors.New("the execution model is empty")
	case strings.ContainsFunc(inv.ID, unicode.IsControl):
		return nil, false, fmt.Errorf("the id %+q holds a control character", beginning(inv.ID))
	}
	return inv, second, nil
}

// packedWorker reads a worker of ours, of whatever release. What it would do is of no interest
// here.
func (s *scanner) packedWorker() {
	var packed string
	s.format(packedFormat, &packed)
	for _, c := range []byte(packed) {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=') {
			s.fail("expected base64, not %+q in it,", c)
			return
		}
	}
}

// servePopen reads what serveCall writes.
func (s *scanner) servePopen(inv *Invitation) {
	inv.Style = StyleExec
	s.format(serveFormat, &inv.ID, &inv.ExecModel)
	seen := make(map[string]bool)
	s.items(func() {
		key := s.string()
		twice := seen[key]
		seen[key] = true
		switch {
		case twice:
			s.fail("expected %+q once, not again,", beginning(key))
		case key == "chdir":
			s.format(": %s", &inv.ChDir)
		case key == "nice":
			s.format(": %d", &inv.Nice)
		case key == "env":
			s.expect(": {")
			s.items(func() {
				var name, value string
				s.format("%s: %s", &name, &value)
				s.env(inv, name, value)
			})
		case key == "ahead":
			s.expect(": ")
			inv.Ahead = []byte(s.bytes())
		default:
			s.fail("expected chdir, nice, env or ahead, not %+q,", beginning(key))
		}
	})
	s.expect(")")
}

// items reads the rest of a dict behind its bracket.
func (s *scanner) items(item func()) {
	if s.take("}") {
		return
	}
	for item(); s.take(", "); item() {
	}
	s.expect("}")
}

func (s *scanner) env(inv *Invitation, name, value string) {
	if s.err != nil {
		return
	}
	if _, twice := inv.Env[name]; twice {
		s.fail("expected each variable once, but %+q comes again", beginning(name))
		return
	}
	if inv.Env == nil {
		inv.Env = make(map[string]string)
	}
	inv.Env[name] = value
}

// setUpLines reads what the function of that name writes.
func (s *scanner) setUpLines(inv *Invitation) {
	for s.sees(envFormat) {
		var name, value string
		s.format(envFormat, &name, &value)
		s.env(inv, name, value)
	}
	if s.sees(niceFormat) {
		s.format(niceFormat, &inv.Nice)
	}
	if s.sees(chDirFormat) {
		var made, to string
		s.format(chDirFormat, &inv.ChDir, &made, &to)
		if made != inv.ChDir || to != inv.ChDir {
			s.fail("expected the same folder three times")
		}
	}
}

// socketSource reads one of the two sources for socket servers.
func (s *scanner) socketSource(inv *Invitation) {
	if s.sees(packedFormat) {
		s.packedWorker()
		s.serveSocket(inv)
		return
	}
	inv.Style = StyleSocket
	s.expect(importSocketFormat)
	if s.sees(modelFormat) {
		s.format(modelFormat, &inv.ExecModel)
	} else {
		s.expect(theirModel)
	}
	s.format(importSocketServeFormat, &inv.ID)
}

func (s *scanner) serveSocket(inv *Invitation) {
	inv.Style = StyleSocket
	s.format(serveSocketFormat, &inv.ID)
	if !s.take(theirModelName) {
		inv.ExecModel = s.string()
	}
	s.expect(serveSocketEnd)
}
