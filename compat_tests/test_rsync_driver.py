"""execnet's RSync drives the receiving halves in Go workers and in this module's Python worker."""
import itertools
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading

import execnet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import TRANSPORTS, WAIT, gone
from pythonworker import NEWEST, Worker


class Tree(object):
    """Makes trees: .file, .link and .folder, each below a top."""

    def __init__(self, top):
        self.top = top
        os.makedirs(top)

    def file(self, name, content=b"", mode=0o644, mtime=1500000000.25):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.chmod(path, 0o600)
        with open(path, "wb") as f:
            f.write(content)
        os.chmod(path, mode)
        os.utime(path, (mtime, mtime))

    def link(self, name, target):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def folder(self, name, mode=0o755):
        path = os.path.join(self.top, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)


def look(top):
    """All entries below top, as far as the protocol transfers them. In links TOP stands for top."""
    seen = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            entry = os.path.relpath(path, top)
            if stat.S_ISLNK(st.st_mode):
                seen[entry] = "link", os.readlink(path).replace(top + os.sep, "TOP/")
            elif stat.S_ISDIR(st.st_mode):
                seen[entry] = "folder", stat.S_IMODE(st.st_mode) | 0o700
            else:
                with open(path, "rb") as f:
                    seen[entry] = "file", stat.S_IMODE(st.st_mode), st.st_mtime, f.read()
    return seen


class Recording(execnet.RSync):
    """RSync that keeps which files it sends, and with a callback also the callback's arguments.

    execnet's callback fails if nothing has to be sent.
    """

    def __init__(self, source, callback):
        self.sent, self.told = [], []
        execnet.RSync.__init__(self, source, callback=self._tell if callback else None)

    def _tell(self, what, size, channel):
        self.told.append((what, size))

    def _report_send_file(self, gateway, modified_rel_path):
        self.sent.append(modified_rel_path)


def sync(gateways, source, dests, delete=True, callback=False):
    """Syncs to all dests at once. Returns the files sent and the callback's arguments, sorted."""
    rsync, finished = Recording(source, callback), []
    for gateway, dest in zip(gateways, dests):
        rsync.add_target(gateway, dest, finishedcallback=lambda: finished.append(1), delete=delete)
    rsync.send()
    assert len(finished) == len(dests)
    return sorted(rsync.sent), sorted(rsync.told)


@pytest.fixture
def places(tmp_path):
    """A tree to send, and the path of its destination."""
    yield Tree(str(tmp_path / "source")), str(tmp_path / "dest")
    for folder, _, _ in os.walk(str(tmp_path)):
        os.chmod(folder, 0o700)


LARGE = os.urandom(5 << 20)


def fill(tree):
    """Makes a tree of every shape that execnet can send."""
    for i, size in enumerate([0, 1, 65535, 65536, 65537, 262143, 262144, 262145]):
        tree.file("borders/%d" % size, LARGE[i:size + i], mtime=1500000000 + i / 8)
    tree.file("large", LARGE)
    tree.file("modes/run", b"#!", 0o755)
    tree.file("modes/readonly", b"r", 0o444)
    tree.file("modes/private", b"p", 0o600)
    tree.file("old", b"o", mtime=0.5)
    tree.file("f2d", b"f")
    tree.file("d2f/x/y", b"y")
    tree.file("f2l", b"f")
    tree.folder("empty")
    tree.folder("nested/empty/deeper")
    tree.folder("open", 0o777)
    for name in ["with space", "new\nline", "-rf", "'\"$(x)\\", ".hidden", "...", "n" * 255, "\u00fcn\u00ef", "\u65e5\u672c/\u8a9e", "\U0001f600"]:
        tree.file("names/" + name, name.encode())
    tree.link("links/rel", "../large")
    tree.link("links/outside", "/etc/hostname")
    tree.link("links/inside", os.path.join(tree.top, "large"))
    tree.link("links/dangling", "no/where")
    tree.link("links/folder", "../names")
    tree.link("l2f", "large")


def change(tree):
    """Changes such a tree in every way."""
    tree.file("large", LARGE[:1 << 20] + b"inserted" + LARGE[1 << 20:], mtime=1600000000.5)
    tree.file("borders/65536", LARGE[2:65538], mtime=1600000000.75)  # the same content
    tree.file("borders/65535", LARGE[9:65544], mtime=1600000000.75)
    tree.file("modes/readonly", b"R2", 0o400)
    os.unlink(os.path.join(tree.top, "f2d"))
    tree.file("f2d/now/folder")
    shutil.rmtree(os.path.join(tree.top, "d2f"))
    tree.file("d2f", b"now a file")
    os.unlink(os.path.join(tree.top, "f2l"))
    tree.link("f2l", "d2f")
    os.unlink(os.path.join(tree.top, "l2f"))
    tree.file("l2f", b"now a file")
    os.unlink(os.path.join(tree.top, "links/rel"))
    tree.link("links/rel", "../old")
    os.rmdir(os.path.join(tree.top, "empty"))
    os.unlink(os.path.join(tree.top, "old"))
    tree.file("new", b"n")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_trees_of_every_shape(transports, group, places, transport):
    tree, dest = places
    gateway = transports.connect(transport, group)
    for step in fill, change:
        step(tree)
        sync([gateway], tree.top, [dest])
        assert look(dest) == look(tree.top)
        assert sync([gateway], tree.top, [dest]) == ([], []), "nothing is left to do"
    # Change only a mode. (A Python worker would add all permissions of the owner.)
    os.chmod(os.path.join(tree.top, "modes/run"), 0o644)
    assert sync([gateway], tree.top, [dest]) == ([], [])
    assert look(dest) == look(tree.top)


def test_events_are_those_of_a_python_worker(transports, group, places):
    tree, dest = places
    gateways = [transports.connect("popen", group), group.makegateway("popen")]
    for step in fill, change:
        step(tree)
        ours, theirs = [sync([gateway], tree.top, [dest + gateway.id], callback=True) for gateway in gateways]
        assert ours == theirs
        assert ours[0] and ours[1]
        for gateway in gateways:
            assert look(dest + gateway.id) == look(tree.top)


def test_several_targets_of_both_kinds(transports, group, places):
    tree, dest = places
    fill(tree)
    gateways = [transports.connect(transport, group) for transport in ("popen", "via_python", "ssh")]
    gateways.append(group.makegateway("popen"))
    dests = [dest + str(i) for i in range(len(gateways))]
    shutil.copytree(os.path.join(tree.top, "names"), os.path.join(dests[1], "names"))
    sync(gateways, tree.top, dests)
    for each in dests:
        assert look(each) == look(tree.top)


def test_without_delete(transports, group, places):
    tree, dest = places
    tree.file("a", b"a")
    tree.file("sub/b", b"b")
    there = Tree(dest)
    there.file("mine", b"m")
    there.file("sub/mine/deep", b"m")
    mine = look(dest)
    sync([transports.connect("popen", group)], tree.top, [dest], delete=False)
    expected = dict(mine)
    expected.update(look(tree.top))
    assert look(dest) == expected
    sync([group["gw0"]], tree.top, [dest])
    assert look(dest) == look(tree.top)


def test_read_only_folders(transports, group, places):
    tree, dest = places
    gateway = transports.connect("popen", group)
    for content in b"1", b"22":
        tree.folder("locked", 0o755)
        tree.file("locked/f", content, 0o444)
        tree.file("locked/in/g", content)
        tree.folder("locked/in", 0o500)
        tree.folder("locked", 0o555)
        sync([gateway], tree.top, [dest])
        assert look(dest) == look(tree.top)


def test_a_filter(transports, group, places):
    tree, dest = places
    for name in "a.py", "a.pyc", ".svn/x", "sub/b.pyc", "sub/b.py":
        tree.file(name, b"x")

    class Filtered(execnet.RSync):
        def filter(self, path):
            return not path.endswith((".pyc", ".svn"))
    rsync = Filtered(tree.top, verbose=False)
    rsync.add_target(transports.connect("popen", group), dest)
    rsync.send()
    assert sorted(look(dest)) == ["a.py", "sub", "sub/b.py"]


def test_a_destination_that_cannot_be(transports, group, places):
    tree, dest = places
    tree.file("a", b"a")
    with open(dest, "wb"):
        pass
    rsync = execnet.RSync(tree.top, verbose=False)
    rsync.add_target(transports.connect("popen", group), os.path.join(dest, "below"))
    with pytest.raises(execnet.RemoteError) as error:
        rsync.send()
    assert dest in str(error.value)


def test_a_worker_killed_in_the_middle(transports, group, places):
    tree, dest = places
    fill(tree)
    for i in range(10):
        tree.file("more/%d" % i, LARGE)
    gateway = transports.connect("popen", group)
    pid = gateway._rinfo().pid
    killed = threading.Event()

    class Killing(execnet.RSync):
        def _report_send_file(self, gateway, modified_rel_path):
            if "more" in modified_rel_path and not killed.is_set():
                os.kill(pid, signal.SIGKILL)
                killed.set()
    rsync = Killing(tree.top)
    rsync.add_target(gateway, dest, delete=True)
    with pytest.raises((EOFError, IOError)):
        rsync.send()
    assert killed.is_set()
    want = look(tree.top)
    for entry, what in look(dest).items():
        if what[0] == "file" and ".execnet-" not in entry:
            assert what == want[entry], entry
    sync([transports.connect("popen", group)], tree.top, [dest])
    assert look(dest) == want


DYING = """
import os, signal, sys, execnet
source, dest, spec, when = sys.argv[1:]
gateway = execnet.makegateway(spec)
print(gateway._rinfo().pid)
sys.stdout.flush()
write = gateway._io.write

def write_and_die(message):
    write(message[:len(message) if when == "behind" else len(message) // 2 if when == "within" else 0])
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(execnet.RSync):
    def _report_send_file(self, gateway, modified_rel_path):
        if modified_rel_path == "large":
            gateway._io.write = write_and_die

rsync = Dying(source, verbose=False)
rsync.add_target(gateway, dest, delete=True)
rsync.send()
"""


@pytest.mark.parametrize("when", ["before", "within", "behind"])
def test_a_driver_killed_in_the_middle(transports, group, places, when):
    """The content of a file is one message. The driver is killed before, within or behind one."""
    tree, dest = places
    fill(tree)
    sync([transports.connect("popen", group)], tree.top, [dest])
    old = look(dest)
    change(tree)
    new = look(tree.top)
    driver = subprocess.run([sys.executable, "-c", DYING, tree.top, dest, transports.popen(group), when],
                            stdout=subprocess.PIPE, timeout=WAIT)
    assert driver.returncode == -signal.SIGKILL
    gone(int(driver.stdout))
    for entry, what in look(dest).items():
        if what[0] == "file" and ".execnet-" not in entry:
            assert what in (old.get(entry), new.get(entry)), entry
    sync([group["gw0"]], tree.top, [dest])
    assert look(dest) == new


NAMES = st.lists(st.sampled_from(["a", "b b", "\u00fc"]), min_size=1, max_size=2).map("/".join)
CONTENTS = st.binary(max_size=9) | st.sampled_from([LARGE[i:i + n] for i in (0, 1) for n in (65536, 262145)])
MODES = st.sampled_from([0o644, 0o600, 0o755, 0o444])
CHANGES = st.lists(st.tuples(NAMES, st.one_of(
    st.tuples(st.just("file"), CONTENTS, MODES, st.just(True)),
    # The file that is there, with another mode and perhaps another time.
    st.tuples(st.just("file"), st.none(), MODES, st.booleans()),
    st.tuples(st.just("link"), st.sampled_from(["a", "../b", "no/where", "/etc/hostname", "TOP/a", "."])),
    st.tuples(st.just("folder"), st.sampled_from([0o755, 0o700, 0o777])),
    st.tuples(st.just("nothing")))), max_size=8)


def kind_of(path):
    if os.path.islink(path):
        return "link"
    return "folder" if os.path.isdir(path) else "file" if os.path.exists(path) else "nothing"


def apply(tree, changes, clock):
    """Makes each entry what the changes say, whatever is there."""
    for name, (kind, *how) in changes:
        for part in itertools.accumulate(name.split("/"), os.path.join):
            path = os.path.join(tree.top, part)
            there, wanted = kind_of(path), kind if part == name else "folder"
            if there == "folder" and wanted != "folder":
                shutil.rmtree(path)
            elif there == "link" or there == "file" and wanted != "file":
                os.unlink(path)
        if kind == "file":
            content, mode, later = how
            mtime = next(clock) / 4
            if content is None and kind_of(path) == "file":
                mtime = mtime if later else os.stat(path).st_mtime
                with open(path, "rb") as f:
                    content = f.read()
            tree.file(name, content or b"", mode, mtime)
        elif kind == "link":
            tree.link(name, how[0].replace("TOP", tree.top))
        elif kind == "folder":
            tree.folder(name, how[0])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(CHANGES, CHANGES, st.booleans())
def test_any_tree_after_any_changes(popen_gw, tmp_path_factory, first, then, delete):
    base, clock = str(tmp_path_factory.mktemp("any")), itertools.count(6000000000)
    tree, dest = Tree(os.path.join(base, "source")), os.path.join(base, "dest")
    for changes in first, then:
        apply(tree, changes, clock)
        want = look(tree.top)
        if not delete:
            sync([popen_gw], tree.top, [dest], delete=False)
            got = look(dest)
            assert {entry: got.get(entry) for entry in want} == want
        sync([popen_gw], tree.top, [dest])
        assert look(dest) == want
        assert sync([popen_gw], tree.top, [dest]) == ([], [])
    shutil.rmtree(base)


@pytest.mark.parametrize("python", sorted({NEWEST, sys.executable}))
def test_the_python_worker_of_this_module(places, python):
    """It executes execnet's receiving half as execnet's own worker does."""
    tree, dest = places
    worker = Worker(python).started()
    try:
        for step in fill, change:
            step(tree)
            sync([worker.gw], tree.top, [dest])
            assert look(dest) == look(tree.top)
    finally:
        assert worker.stop() == 0
