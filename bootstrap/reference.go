package bootstrap

import (
	"fmt"
	"strings"
)

// What execnet's drivers write around the source of its gateway_base, or instead of it
// (gateway_bootstrap.py).
const (
	referenceImport   = "import sys\n"
	referencePath     = "if %s not in sys.path:\n    sys.path.insert(0, %s)\n"
	referenceFrom     = "from execnet.gateway_base import "
	referenceAnswer   = "sys.stdout.write(%s)\nsys.stdout.flush()\n"
	referenceModel    = "execmodel = get_execmodel(%s)\n"
	referenceServe    = "serve(init_popen_io(execmodel), id=%s)"
	referencePopenIO  = "io = init_popen_io(execmodel)\n"
	referenceSocketIO = "try: execmodel\nexcept NameError:\n   execmodel = get_execmodel(%s)\nio = SocketIO(clientsock, execmodel)\n"
	referenceServeIO  = "serve(io, id=%s)"
)

// reference reads what execnet's own drivers write.
func (s *scanner) reference(request *Request) {
	if s.sees(referenceImport) {
		s.referenceImport(request)
		return
	}
	// The last lines of the source tell all that is needed. Before them stands the driver's
	// gateway_base, of any release.
	var source, model string
	if io := s.rest[strings.LastIndex(s.rest, "\nio = ")+1:]; strings.HasPrefix(io, "io = SocketIO(") {
		request.style = styleSocket
		source = s.upToLast(referenceSocketIO)
		// The model is for servers that define no execmodel, and all of them do.
		s.format(referenceSocketIO, &model)
	} else {
		request.style = styleExec
		source = s.upToLast(referenceModel)
		s.format(referenceModel+referencePopenIO, &request.ExecModel)
	}
	s.expect("io.write(")
	if s.sees("b") {
		s.one(s.bytes())
	} else {
		s.one(s.string())
		s.expect(".encode('ascii')")
	}
	s.format(")\n"+referenceServeIO, &request.ID)
	if s.end(); s.err == nil {
		s.err = checkGatewayBase(source, request.style)
	}
}

// referenceImport reads the source that uses the execnet package of the driver's own folder.
func (s *scanner) referenceImport(request *Request) {
	request.style = styleImport
	s.expect(referenceImport)
	if s.sees(referencePath) {
		var dir, again string
		if s.format(referencePath, &dir, &again); dir != again {
			s.fail("expected the same folder twice")
		}
	}
	s.expect(referenceFrom)
	names, rest, _ := strings.Cut(s.rest, "\n")
	for _, name := range []string{"serve", "init_popen_io", "get_execmodel"} {
		if !strings.Contains(", "+names+", ", ", "+name+", ") {
			s.fail("expected the import of %s", name)
			return
		}
	}
	if strings.ContainsFunc(names, notInImport) {
		s.fail("expected names to import")
		return
	}
	s.rest = rest
	var one string
	s.format(referenceAnswer, &one)
	s.one(one)
	s.format(referenceModel+referenceServe, &request.ExecModel, &request.ID)
}

// one checks that the source would answer "1".
func (s *scanner) one(answer string) {
	if answer != "1" {
		s.fail(`expected the answer "1", not %+q, before what stands there`, beginning(answer))
	}
}

// upToLast reads up to the last line that begins as format does.
func (s *scanner) upToLast(format string) string {
	plain, _, _ := strings.Cut(format, "%")
	at := strings.LastIndex(s.rest, "\n"+plain) + 1
	if at == 0 {
		s.fail("expected what a driver sends")
		return ""
	}
	read := s.rest[:at]
	s.rest = s.rest[at:]
	return read
}

// checkGatewayBase returns an error unless text looks like execnet's gateway_base: a docstring that
// contains "execnet", an import as the first statement, and the definitions that a worker needs,
// with serve as the last one that is looked for and nothing but definitions after it.
func checkGatewayBase(text string, style style) error {
	const bad = "it ends as what execnet's drivers send, but "
	code := text
	for strings.HasPrefix(code, "#") {
		_, code, _ = strings.Cut(code, "\n")
	}
	doc, ok := strings.CutPrefix(code, `"""`)
	doc, code, closed := strings.Cut(doc, `"""`)
	first, _, _ := strings.Cut(strings.TrimLeft(code, "\n"), "\n")
	switch {
	case !ok, !closed, !strings.Contains(strings.ToLower(doc), "execnet"):
		return fmt.Errorf(bad + "does not begin with gateway_base's docstring")
	case !strings.HasPrefix(first, "from ") && !strings.HasPrefix(first, "import "), strings.ContainsFunc(first, notInImport):
		return fmt.Errorf(bad+"its first statement is no import: %+q", beginning(first))
	}
	marks := []string{"def get_execmodel(", "class WorkerGateway(", "def init_popen_io(", "def serve("}
	for _, mark := range marks { // in this order, so that the text is searched only once
		var found bool
		if _, code, found = strings.Cut(code, "\n"+mark); !found {
			return fmt.Errorf(bad+"holds no %+q in its place", mark)
		}
	}
	if style == styleSocket && !strings.Contains(code, "\nimport socket\nclass SocketIO") {
		return fmt.Errorf(bad + "holds no class SocketIO")
	}
	_, behind, _ := strings.Cut(code, "\n")
	for line := range strings.Lines(behind) {
		if !isDefinition(line) && !(style == styleSocket && line == "import socket\n") {
			return fmt.Errorf(bad+"has a statement behind serve: %+q", beginning(line))
		}
	}
	return nil
}

// notInImport reports whether an import of plain names cannot contain r.
func notInImport(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_., ", r))
}

// isDefinition reports whether a line may stand among definitions.
func isDefinition(line string) bool {
	for _, start := range []string{" ", "\t", "\n", "#", ")", "def ", "class ", "async def "} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}
