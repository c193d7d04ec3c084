# What suites have that were made for pytest-xdist.


class XdistHooks(object):
    """The hooks of pytest-xdist, which nobody calls: a conftest.py made for it may have them."""


def _make_hooks():
    for name, arguments in (
            ("pytest_xdist_setupnodes", "config, specs"), ("pytest_xdist_newgateway", "gateway"),
            ("pytest_xdist_rsyncstart", "source, gateways"),
            ("pytest_xdist_rsyncfinish", "source, gateways"),
            ("pytest_xdist_getremotemodule", ""), ("pytest_configure_node", "node"),
            ("pytest_testnodeready", "node"), ("pytest_testnodedown", "node, error"),
            ("pytest_xdist_node_collection_finished", "node, ids"),
            ("pytest_xdist_make_scheduler", "config, log"),
            ("pytest_xdist_auto_num_workers", "config"),
            ("pytest_handlecrashitem", "crashitem, report, sched")):
        scope = {}
        exec("def %s(%s): pass" % (name, arguments), scope)
        setattr(XdistHooks, name, staticmethod(scope[name]))


_make_hooks()


def asked_dist(option):
    """What --dist says in addopts, or None."""
    given = getattr(option, "xdist_dist", None)  # where our own option of this name is
    dist = given[-1] if given else getattr(option, "dist", None)
    return dist if isinstance(dist, (str, unicode)) and dist != "no" else None


def find_xdist(args):
    """Whether pytest will load pytest-xdist, and whether its part for --looponfail."""
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return False, False
    try:
        if PY2:
            __import__("imp").find_module("xdist")
        else:
            import importlib.util
            if importlib.util.find_spec("xdist") is None:
                return False, False
    except ImportError:
        return False, False
    return [not any(arg in ("no:" + name, "-pno:" + name) for arg in args) for name in ("xdist", "xdist.looponfail")]
