"""The far half of a run of tests: starts pytest with itself as a plugin, and obeys the driver.

It is executed in a worker, in the main thread, for Python 2.7 and 3.6 and newer, pytest 4.6 and
newer. The channel carries first one dict from the driver, the settings (see Settings in worker.go).
After that each item is a list of messages to the driver, or one message from it. A message is a
tuple that begins with its name. In place of a list with a "passed" and a "start" there may be bytes,
which are the values of the two (see pack_next).

To the driver:
  ready, facts                   pytest is configured; facts is a dict (see describe)
  problem, id, outcome, text, path, line, message    a part of the suite was not collected
  collected, facts               facts is a dict (see Plugin.take_stock)
  tests, parts                   if the driver wants to have them, in their order; a part is a path, a
                                 line, a group and the ids of tests that follow one another and share these
  start, index, time             the test with this index in the collection begins
  passed, index, time, seconds, set-up, call, tear-down    a short form of done, for a test with
                                 nothing to tell but how long it and its phases have taken
  done, index, outcome, reason, time, seconds, reruns, properties, phases
  warning, id, category, message, path, line, source    source is that line
  returned, indexes              the answer to "return": these will not be run here
  stacks, text                   the answer to "stacks"; also where Ctrl-C has hit a test
  notice, text                   why workers are not forked
  internal, text                 pytest itself, or a plugin, has failed
  finished, exit code, reason, measured, folder    the session has ended; measured are the options
                                 of pytest-cov, if it has measured, which has left a file in folder
  failed, exit code, text        pytest could not be started
From the driver:
  tell                           send "tests"
  run, indexes                   run these, behind those that wait
  last                           nothing follows at present: the last one need not wait for the next
  return, indexes                do not run these, as far as they have not begun
  stacks                         tell what all threads are doing
  stop                           end the session behind the test that is running

A test begins only when it is known which one follows it, because that decides which fixtures end.
Before a test begins everything is sent that there is to say up to then. So if a test ends this
process, the driver knows which one it was, and has what happened before.
"""
import os
import struct
import sys
import time
from collections import deque

PY2 = sys.version_info[0] == 2
if not PY2:
    unicode = str
# A test may replace them.
now, stamp, sleep = getattr(time, "perf_counter", time.time), time.time, time.sleep
getpid = os.getpid
MOST_TEXT = 1 << 20  # characters of one text


def text_of(x):
    """x as text that can be sent. If it is very long, it loses its middle."""
    if not isinstance(x, unicode):
        if isinstance(x, bytes):
            x = x.decode("utf-8", "replace")
        else:
            try:
                x = unicode(x)
            except Exception:
                x = u"<%s, which cannot be shown>" % type(x).__name__
    if len(x) > MOST_TEXT:
        half = MOST_TEXT // 2
        x = u"%s\n[... %d characters are left out here ...]\n%s" % (
            x[:half], len(x) - 2 * half, x[-half:])
    if PY2:
        if any(u"\ud800" <= c <= u"\udfff" for c in x):
            x = x.encode("ascii", "backslashreplace").decode("ascii")
    else:
        try:
            x.encode("utf-8")
        except UnicodeError:
            x = x.encode("utf-8", "backslashreplace").decode("utf-8")
    return unicode(x)


def sendable(x):
    """x with texts in place of what cannot be sent."""
    if isinstance(x, dict):
        return dict((sendable(key), sendable(value)) for key, value in x.items())
    if isinstance(x, (list, tuple)):
        return [sendable(item) for item in x]
    return x if x is None or isinstance(x, (bool, int, float)) else text_of(x)
