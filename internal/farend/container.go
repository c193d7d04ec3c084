package farend

import (
	"fmt"
	"regexp"
	"strings"
)

// ContainerProblem is why nothing can be run in a container. The public name is
// gatewayio.ContainerProblem.
type ContainerProblem string

// The problems of a ContainerError.
const (
	ContainerMissing     ContainerProblem = "missing"
	ContainerForbidden   ContainerProblem = "forbidden"
	ContainerStopped     ContainerProblem = "stopped"
	ContainerUnreachable ContainerProblem = "unreachable"
)

// ContainerError says that docker, podman or kubectl could run nothing in a container or pod. The
// public name is gatewayio.ContainerError.
type ContainerError struct {
	// Command is docker, podman or kubectl.
	Command string
	// Name is the container or pod, as the spec names it.
	Name    string
	Problem ContainerProblem
	// Says is the line in which the command says so.
	Says string
	// Err is what made it known.
	Err error
}

// Error says what is wrong with the container, and what the command says.
func (e *ContainerError) Error() string {
	what := ContainerThing(e.Command, e.Name)
	switch e.Problem {
	case ContainerMissing:
		if found := noContainer.FindStringSubmatch(e.Says); found != nil {
			what = "container " + found[1] + " in " + what
		}
		what = "there is no " + what
	case ContainerForbidden:
		what = "this user may not use " + what
	case ContainerStopped:
		what += " does not run"
	default:
		what += " cannot be reached"
	}
	return fmt.Sprintf("execnet: %s (%s says: %s)", what, e.Command, e.Says)
}

// ContainerThing is what people call it: "container box" or "pod web-0".
func ContainerThing(command, name string) string {
	if command == "kubectl" {
		return "pod " + name
	}
	return "container " + name
}

// Unwrap returns Err.
func (e *ContainerError) Unwrap() error { return e.Err }

// noContainer is how Kubernetes says that a pod has no such container.
var noContainer = regexp.MustCompile(`container (\S+) is not valid for pod`)

// containerTexts are how docker, podman and kubectl say that they cannot run a command. The first
// that matches counts.
var containerTexts = []struct {
	problem ContainerProblem
	text    *regexp.Regexp
}{
	{ContainerMissing, regexp.MustCompile(`(?i)no such container|^Error from server \(NotFound\)|` + noContainer.String() + `|^error: the server doesn't have a resource type`)},
	{ContainerForbidden, regexp.MustCompile(`(?i)permission denied while trying to connect|^Error from server \((Forbidden|Unauthorized)\)|^error: You must be logged in|` +
		`unable to upgrade connection: (.* is forbidden: |Forbidden|Unauthorized)`)},
	{ContainerStopped, regexp.MustCompile(`(?i)^Error.* container \S+ is (not running|paused|restarting)|container state improper|in a completed pod|unable to upgrade connection: (container not found|pod does not exist)|does not have a host assigned`)},
	{ContainerUnreachable, regexp.MustCompile(`(?i)Cannot connect to (the Docker daemon|Podman)|error during connect|` +
		`^(The connection to the server|Unable to connect to the server|Error from server|Error in configuration|error: context .* does not exist|error: error loading config file|error: unable to upgrade connection)`)},
}

// ContainerFailed turns the end of a docker, podman or kubectl command that has printed nothing
// into a *ContainerError if the command itself says why, else nil.
func ContainerFailed(exit Exit, command, name string, cause error) error {
	if !exit.Known || exit.Code == 0 {
		return nil
	}
	for _, known := range containerTexts {
		for line := range strings.Lines(exit.Stderr) {
			if line = strings.TrimSpace(line); known.text.MatchString(line) {
				return &ContainerError{Command: command, Name: name, Problem: known.problem, Says: line, Err: cause}
			}
		}
	}
	return nil
}
