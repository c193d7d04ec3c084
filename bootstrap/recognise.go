package bootstrap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// recognise returns what the text of a first line asks for; second tells whether another line
// belongs to it. It tells by the beginning of the text which driver has written it. What this
// module's drivers write it reads from the first byte to the last.
func recognise(text string) (request *Request, second bool, err error) {
	request = &Request{}
	var token string
	s := &scanner{rest: text}
	switch {
	case s.sees(serveFormat):
		s.servePopen(request, &token)
	case s.sees(cachedFormat):
		var dir string
		s.format(cachedFormat, &dir)
		s.servePopen(request, &token)
		s.expect("\n")
		second = true
	case s.sees(importFormat):
		s.expect(importFormat)
		s.setUpLines(request)
		request.style = styleImport
		s.format(importServeFormat, &request.ExecModel, &token, &request.ID)
	case s.sees(socketSetUpFormat):
		var lines string
		s.format(socketSetUpFormat, &lines)
		setUp := scanner{rest: lines}
		setUp.setUpLines(request)
		if setUp.end(); setUp.err != nil {
			return nil, false, fmt.Errorf("in what a socket server is to set up: %w", setUp.err)
		}
		s.socketSource(request, &token)
	case s.sees(importSocketFormat):
		s.socketSource(request, &token)
	case s.sees(packedFormat):
		s.packedWorker()
		if s.sees(serveSocketFormat) {
			s.serveSocket(request, &token)
		} else {
			s.servePopen(request, &token)
			s.expect("\n")
		}
	default:
		s.reference(request)
	}
	s.end()
	request.Answer = []byte("1" + token)
	switch {
	case s.err != nil:
		return nil, false, s.err
	case request.ExecModel != "" && !slices.Contains(xspec.ExecModels(), request.ExecModel):
		return nil, false, fmt.Errorf("the execution model %+q is unknown; it is one of %s", beginning(request.ExecModel), strings.Join(xspec.ExecModels(), ", "))
	case request.ExecModel == "" && request.style != styleSocket:
		return nil, false, errors.New("the execution model is empty")
	case request.Engine != "" && !slices.Contains(xspec.Engines(), request.Engine):
		return nil, false, fmt.Errorf("the engine %+q is unknown; it is one of %s", beginning(request.Engine), strings.Join(xspec.Engines(), ", "))
	case request.Output < 0 || request.Output > gatewaybase.AsideStdout|gatewaybase.AsideStderr|gatewaybase.AsideLog:
		return nil, false, fmt.Errorf("the output %d is unknown; it is 1 to 7", request.Output)
	case strings.ContainsFunc(request.ID, unicode.IsControl):
		return nil, false, fmt.Errorf("the id %+q holds a control character", beginning(request.ID))
	}
	return request, second, nil
}

// packedWorker reads a worker of this module, of any release. It does not look at what that
// contains.
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
func (s *scanner) servePopen(request *Request, token *string) {
	request.style = styleExec
	s.format(serveFormat, &request.ID, &request.ExecModel)
	seen := make(map[string]bool)
	s.items(func() {
		key := s.string()
		twice := seen[key]
		seen[key] = true
		switch {
		case twice:
			s.fail("expected %+q once, not again,", beginning(key))
		case key == "errors":
			s.expect(": 1")
			request.DescribeErrors = true
		case key == "answer":
			s.format(": %s", token)
		case key == "engine":
			s.format(": %s", &request.Engine)
		case key == "output":
			s.format(": %d", &request.Output)
		case key == "chdir":
			s.format(": %s", &request.ChDir)
		case key == "nice":
			s.format(": %d", &request.Nice)
		case key == "env":
			s.expect(": {")
			s.items(func() {
				var name, value string
				s.format("%s: %s", &name, &value)
				s.env(request, name, value)
			})
		case key == "ahead":
			s.expect(": ")
			request.Ahead = []byte(s.bytes())
		default:
			s.fail("expected answer, errors, engine, output, chdir, nice, env or ahead, not %+q,", beginning(key))
		}
	})
	s.expect(")")
}

// items reads the items of a dict, and its closing bracket. item reads one of them.
func (s *scanner) items(item func()) {
	if s.accept("}") {
		return
	}
	for item(); s.accept(", "); item() {
	}
	s.expect("}")
}

func (s *scanner) env(request *Request, name, value string) {
	if s.err != nil {
		return
	}
	if _, twice := request.Env[name]; twice {
		s.fail("expected each variable once, but %+q comes again", beginning(name))
		return
	}
	if request.Env == nil {
		request.Env = make(map[string]string)
	}
	request.Env[name] = value
}

// setUpLines reads what the function of that name writes.
func (s *scanner) setUpLines(request *Request) {
	for s.sees(envFormat) {
		var name, value string
		s.format(envFormat, &name, &value)
		s.env(request, name, value)
	}
	if s.sees(niceFormat) {
		s.format(niceFormat, &request.Nice)
	}
	if s.sees(chDirFormat) {
		s.format(chDirFormat, &request.ChDir)
	}
}

// socketSource reads one of the two sources for socket servers.
func (s *scanner) socketSource(request *Request, token *string) {
	if s.sees(packedFormat) {
		s.packedWorker()
		s.serveSocket(request, token)
		return
	}
	request.style = styleSocket
	s.expect(importSocketFormat)
	if s.sees(modelFormat) {
		s.format(modelFormat, &request.ExecModel)
	} else {
		s.expect(theirModel)
	}
	s.format(importSocketServeFormat, token, &request.ID)
}

func (s *scanner) serveSocket(request *Request, token *string) {
	request.style = styleSocket
	s.format(serveSocketFormat, &request.ID)
	if !s.accept(theirModelName) {
		request.ExecModel = s.string()
	}
	s.format(serveSocketSetUp, token)
	if s.sees(", " + engineItem) {
		s.format(", "+engineItem, &request.Engine)
	}
	if s.sees(", " + outputItem) {
		s.format(", "+outputItem, &request.Output)
	}
	s.expect(serveSocketEnd)
	request.DescribeErrors = true
}
