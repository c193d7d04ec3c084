"""Users and groups of the host, from pwd and grp."""

remote = """
import grp, os, pwd
me = pwd.getpwuid(os.getuid())
channel.send((me.pw_name, me.pw_uid, me.pw_gid, me.pw_dir, me.pw_shell))
channel.send(grp.getgrgid(os.getgid()).gr_name)
channel.send(sorted(g.gr_name for g in grp.getgrall())[:5])
channel.send([u.pw_name for u in pwd.getpwall() if u.pw_uid == 0])
channel.send(os.path.expanduser('~root') == pwd.getpwnam('root').pw_dir)
try:
    pwd.getpwnam('no-such-user')
except KeyError as e:
    channel.send(str(e))
grp.getgrnam('no-such-group')
"""
