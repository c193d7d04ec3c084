"""The command execnet, and how pip's execnet starts it as a worker.

    import execnet, execnet_go
    gateway = execnet.makegateway(execnet_go.worker())
"""
import os
import shlex
import sysconfig

__all__ = ["executable", "worker"]


def executable():
    """Returns the path of the command that was installed with this package.

    Raises FileNotFoundError if it is not there.
    """
    scripts, name = ("Scripts", "execnet.exe") if os.name == "nt" else ("bin", "execnet")
    folder = os.path.dirname(os.path.abspath(__file__))
    tried = []
    # The package is some folders below the one that also has the command: in a virtual environment,
    # in the user's own folder, with pip's --target and --prefix.
    for _ in range(4):
        folder = os.path.dirname(folder)
        tried.append(os.path.join(folder, scripts, name))
    tried.append(os.path.join(sysconfig.get_path("scripts"), name))
    for path in tried:
        if os.path.isfile(path):
            return path
    raise FileNotFoundError("the command execnet is at none of these places: " + ", ".join(tried) +
                            "; install execnet-go once more")


def worker(*options):
    """Returns a spec that makes the command a worker: popen//python=...

    Options are those of "execnet worker", such as "--engine", "gpython". What a spec can say besides
    is appended: execnet_go.worker() + "//id=go".
    """
    path = executable()
    if os.name == "nt" and not path.startswith("\\\\"):
        path = path.replace("\\", "/")
    return "popen//python=" + " ".join(shlex.quote(word) for word in (path, "worker") + options)
