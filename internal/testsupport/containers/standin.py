# Stands in for docker, podman and kubectl: runs a command on this machine as they would in a
# container. The first line, which names the interpreter, and SETTINGS stand before this.
import json
import os
import shutil
import subprocess
import sys
import threading

NAME = os.path.basename(sys.argv[0])

# What the real ones say of containers of these names, and how they exit.
FAILURES = {
    "gone": {
        "docker": ("Error response from daemon: No such container: gone", 1),
        "podman": ('Error: no container with name or ID "gone" found: no such container', 125),
        "kubectl": ('Error from server (NotFound): pods "gone" not found', 1),
    },
    "idle": {
        "docker": ("Error response from daemon: container 8b2f6a is not running", 1),
        "podman": ("Error: can only create exec sessions on running containers: container state improper", 255),
        "kubectl": ("error: cannot exec into a container in a completed pod; current phase is Succeeded", 1),
    },
    "far": {
        "docker": ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", 1),
        "podman": ("Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection list`", 125),
        "kubectl": ("The connection to the server localhost:8080 was refused - did you specify the right host or port?", 1),
    },
}
NOT_FOUND = 'exec failed: unable to start container process: exec: "%s": executable file not found in $PATH'


def fail(text, code, to=sys.stderr):
    to.write(text + "\n")
    sys.exit(code)


def not_found(program):
    if NAME == "docker":
        fail("OCI runtime exec failed: " + NOT_FOUND % program + ": unknown\r", 127, sys.stdout)
    if NAME == "podman":
        fail("Error: runc: " + NOT_FOUND % program + ": OCI runtime attempted to invoke a command that was not found", 127)
    fail("error: Internal error occurred: error executing command in container: " + NOT_FOUND % program + ": unknown", 1)


def read(args):
    # Returns the name, the variables and the command, or fails.
    env = {}
    words = args[2:]
    if args[:2] == ["exec", "-i"]:
        if NAME == "kubectl":
            while words and words[0].split("=")[0] in ("--namespace", "--container", "--context", "--quiet"):
                del words[0]
            if len(words) > 2 and not words[0].startswith("-") and words[1] == "--":
                return words[0], env, words[2:]
        else:
            while len(words) > 1 and words[0] == "-e":
                name, value = words[1].split("=", 1)
                env[name] = value
                del words[:2]
            if len(words) > 1 and not words[0].startswith("-"):
                return words[0], env, words[1:]
    fail("these arguments are not expected: %r" % args, 64)


def main():
    with open(SETTINGS["calls"], "a") as calls:
        calls.write(json.dumps([NAME] + sys.argv[1:]) + "\n")
    box, env, argv = read(sys.argv[1:])
    if box in FAILURES:
        fail(*FAILURES[box][NAME])
    path = SETTINGS["paths"].get(box)
    if path is None:
        fail("there is no box %r" % box, 64)
    program = shutil.which(argv[0], path=path)
    if program is None:
        not_found(argv[0])
    env = dict({"PATH": path, "HOME": SETTINGS["home"], "TMPDIR": SETTINGS["home"]}, **env)
    # As with the real ones, it does not end with this process: nothing but its stdin does.
    inside = subprocess.Popen(argv, executable=program, env=env, cwd="/", stdin=subprocess.PIPE, start_new_session=True)

    def relay():
        try:
            while True:
                data = os.read(0, 1 << 16)
                if not data:
                    break
                inside.stdin.write(data)
                inside.stdin.flush()
            inside.stdin.close()
        except (BrokenPipeError, OSError):
            pass

    threading.Thread(target=relay, daemon=True).start()
    code = inside.wait()
    sys.stdout.flush()
    os._exit(code if code >= 0 else 128 - code)


main()
