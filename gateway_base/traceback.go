package gatewaybase

import (
	"regexp"
	"strings"
)

// Exception is a target for errors.Is: errors.Is(err, Exception("LookupError")) reports whether err
// is, or wraps, a [RemoteError] whose [RemoteError.IsInstance] says so of that class.
func Exception(class string) error { return exceptionClass(class) }

type exceptionClass string

func (c exceptionClass) Error() string { return "execnet: the remote exception " + string(c) }

// Is reports whether the exception is of the class of a target that [Exception] has made. It is for
// errors.Is.
func (e *RemoteError) Is(target error) bool {
	class, ok := target.(exceptionClass)
	return ok && e.IsInstance(string(class))
}

// Cause is the exception that led to this one, as the traceback shows it: what stands behind "raise
// ... from" (__cause__), or else what was being handled (__context__). It is nil if there is none.
// Of a cause only the text is known, so its MRO is empty. errors.Is and errors.As do not look at
// causes.
func (e *RemoteError) Cause() *RemoteError {
	all := chained.FindAllStringIndex(e.Formatted, -1)
	if all == nil {
		return nil
	}
	return &RemoteError{Formatted: withHead(e.Formatted[:all[len(all)-1][0]+1])}
}

// lastTraceback is the part of the text that belongs to the exception itself, not to its causes.
func (e *RemoteError) lastTraceback() string {
	if all := chained.FindAllStringSubmatchIndex(e.Formatted, -1); all != nil {
		return e.Formatted[all[len(all)-1][2]:]
	}
	return e.Formatted
}

// withHead is the text of an exception as a traceback, also if it was never raised.
func withHead(text string) string {
	if strings.HasPrefix(text, tracebackHead) || strings.HasPrefix(text, groupHead) {
		return text
	}
	return tracebackHead + text
}

// The lines around the exceptions of a group: one with a number before each, and one behind the
// last. Those of the outermost group are indented by four; the first has "+-" in that place, too.
var (
	groupNumber = regexp.MustCompile(`^  (?:\+-|  )\+-+ (\d+|\.\.\.) -+$`)
	groupEnd    = regexp.MustCompile(`^    \+-+$`)
)

// Exceptions are the exceptions of an ExceptionGroup, as the traceback shows them: its first 15,
// and groups in groups ten levels deep. Of each only the text is known, so its MRO is empty. For
// any other exception it is nil.
func (e *RemoteError) Exceptions() []*RemoteError {
	block, ok := strings.CutPrefix(e.lastTraceback(), groupHead)
	if !ok {
		return nil
	}
	var members [][]string
	inside := false
	for line := range strings.SplitSeq(block, "\n") {
		if number := groupNumber.FindStringSubmatch(line); number != nil {
			if inside = number[1] != "..."; inside {
				members = append(members, nil)
			}
		} else if groupEnd.MatchString(line) {
			break
		} else if inside {
			last := &members[len(members)-1]
			*last = append(*last, strings.TrimPrefix(line, "  "))
		}
	}
	errs := make([]*RemoteError, len(members))
	for i, lines := range members {
		errs[i] = &RemoteError{Formatted: memberText(lines)}
	}
	return errs
}

// memberText is the text of an exception of a group, whose lines have the margin of an outermost
// group, as the exception alone would have it. Only groups keep the margin there.
func memberText(lines []string) string {
	var out []string
	begin := 0 // of the traceback that out ends with, which may be one of several in a chain
	group := false
	for _, line := range lines {
		bare, margin := strings.CutPrefix(line, groupMargin)
		if !margin {
			bare, margin = "", line == strings.TrimRight(groupMargin, " ")
		}
		switch {
		case group && groupEnd.MatchString(line):
			group = false
			out = append(out, line)
			begin = len(out)
		case group:
			out = append(out, line)
		case groupNumber.MatchString(line): // of a group that was never raised: it has no head
			for i := begin; i < len(out); i++ {
				out[i] = groupMargin + out[i]
			}
			head := strings.TrimSuffix(groupHead, "\n")
			out = append(append(append([]string(nil), out[:begin]...), head), out[begin:]...)
			out = append(out, line)
			group = true
		case margin && "  + "+bare+"\n" == groupHead:
			out = append(out, "  + "+bare)
			group = true
		default:
			out = append(out, bare)
			if strings.HasSuffix(bare, " exception:") {
				begin = len(out) + 1 // behind the empty line
			}
		}
	}
	return withHead(strings.Join(out, "\n") + "\n")
}
