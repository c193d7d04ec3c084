"""os.uname, host names and what platform makes of them."""

remote = """
import os, platform, socket
u = os.uname()
channel.send((u.sysname, u.nodename, u.release, u.machine))
channel.send(tuple(u) == (u.sysname, u.nodename, u.release, u.version, u.machine))
channel.send(socket.gethostname() == platform.node())
channel.send(socket.getfqdn('localhost') != '')
channel.send(platform.architecture()[0])
channel.send([os.name, os.sep, os.linesep, os.pathsep, os.curdir, os.extsep, os.devnull])
"""
