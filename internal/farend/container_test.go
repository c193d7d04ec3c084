package farend

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What several releases of docker, podman and kubectl print when they can run nothing.
func TestContainerFailed(t *testing.T) {
	cause := errors.New("the cause")
	for says, problem := range map[string]ContainerProblem{
		"Error response from daemon: No such container: box":                                                               ContainerMissing,
		"Error: No such container: box":                                                                                    ContainerMissing,
		`Error: no container with name or ID "box" found: no such container`:                                               ContainerMissing,
		`Error from server (NotFound): pods "box" not found`:                                                               ContainerMissing,
		`Error from server (NotFound): namespaces "shop" not found`:                                                        ContainerMissing,
		"error: container c is not valid for pod web-0 out of: a, b":                                                       ContainerMissing,
		`error: the server doesn't have a resource type "foo"`:                                                             ContainerMissing,
		`error: error loading config file "/x": yaml: line 2: mapping values are not allowed`:                              ContainerUnreachable,
		`error: Internal error occurred: unable to upgrade connection: container not found ("web")`:                        ContainerStopped,
		"Error from server (BadRequest): container c is not valid for pod web-0":                                           ContainerMissing,
		"Error response from daemon: Container 8b2f6a is not running":                                                      ContainerStopped,
		"Error response from daemon: container 8b2f6a is not running":                                                      ContainerStopped,
		"Error response from daemon: Container box is paused, unpause the container before exec":                           ContainerStopped,
		"Error response from daemon: Container 8b is restarting, wait until it runs":                                       ContainerStopped,
		"Error: can only create exec sessions on running containers: container state improper":                             ContainerStopped,
		"error: cannot exec into a container in a completed pod; current phase is Failed":                                  ContainerStopped,
		`error: unable to upgrade connection: container not found ("web")`:                                                 ContainerStopped,
		"Error from server (BadRequest): pod web-0 does not have a host assigned":                                          ContainerStopped,
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?":                               ContainerUnreachable,
		"permission denied while trying to connect to the Docker daemon socket at unix:///x":                               ContainerForbidden,
		"Cannot connect to Podman. Please verify your connection to the Linux system":                                      ContainerUnreachable,
		"The connection to the server localhost:8080 was refused - did you specify the right host?":                        ContainerUnreachable,
		"Unable to connect to the server: dial tcp: lookup nowhere: no such host":                                          ContainerUnreachable,
		"Error in configuration: context was not found for specified context: nope":                                        ContainerUnreachable,
		`error: context "nope" does not exist`:                                                                             ContainerUnreachable,
		`Error from server (Forbidden): pods "web-0" is forbidden: User "u" cannot create resource`:                        ContainerForbidden,
		`error: unable to upgrade connection: pods "web-0" is forbidden: User "u" cannot create resource`:                  ContainerForbidden,
		"error: unable to upgrade connection: Unauthorized":                                                                ContainerForbidden,
		"error: unable to upgrade connection: error dialing backend: dial tcp 10.0.0.5:10250: connect: connection refused": ContainerUnreachable,
		"error: You must be logged in to the server (Unauthorized)":                                                        ContainerForbidden,
		"error during connect: this error may indicate that the docker daemon is not running: Post:":                       ContainerUnreachable,
	} {
		exit := Exit{Known: true, Code: 1, Stderr: "Defaulted container \"a\" out of: a, b\n" + says + "\r\n"}
		var failed *ContainerError
		require.ErrorAs(t, ContainerFailed(exit, "docker", "box", cause), &failed, says)
		assert.Equal(t, ContainerError{Command: "docker", Name: "box", Problem: problem, Says: says, Err: cause}, *failed)
		assert.ErrorIs(t, failed, cause)
		exit.Code = 0
		assert.NoError(t, ContainerFailed(exit, "docker", "box", cause))
		assert.NoError(t, ContainerFailed(Exit{Stderr: says}, "docker", "box", cause), "it has not ended")
	}
	for _, says := range []string{
		"", "Traceback (most recent call last):\nOSError: the engine is not running\n", "sh: 1: exec: python: not found\n",
		`Error: runc: exec failed: unable to start container process: exec: "python9": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found`,
		`error: Internal error occurred: error executing command in container: exec failed: exec: "py": executable file not found in $PATH: unknown`,
		"error: pool exhausted", "command terminated with exit code 1",
	} {
		assert.NoError(t, ContainerFailed(Exit{Known: true, Code: 1, Stderr: says}, "podman", "box", nil), says)
	}
	assert.EqualError(t, &ContainerError{Command: "kubectl", Name: "web-0", Problem: ContainerStopped, Says: "x"}, "execnet: pod web-0 does not run (kubectl says: x)")
	assert.EqualError(t, &ContainerError{Command: "podman", Name: "box", Problem: ContainerMissing, Says: "x"}, "execnet: there is no container box (podman says: x)")
	assert.EqualError(t, &ContainerError{Command: "docker", Name: "box", Problem: ContainerUnreachable, Says: "x"}, "execnet: container box cannot be reached (docker says: x)")
	assert.EqualError(t, &ContainerError{Command: "kubectl", Name: "web-0", Problem: ContainerMissing, Says: "container c is not valid for pod web-0"},
		"execnet: there is no container c in pod web-0 (kubectl says: container c is not valid for pod web-0)")
	assert.EqualError(t, &ContainerError{Command: "kubectl", Name: "web-0", Problem: ContainerForbidden, Says: "x"}, "execnet: this user may not use pod web-0 (kubectl says: x)")
}
