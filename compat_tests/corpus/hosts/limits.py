"""Resource limits of the worker, and its umask."""

remote = """
import os, resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
channel.send((soft > 0, hard >= soft or hard == -1))
old = os.umask(0o027)
channel.send(oct(os.umask(old)))
channel.send(resource.getrusage(resource.RUSAGE_SELF).ru_utime >= 0)
channel.send(sorted(n for n in dir(resource) if n.startswith('RLIMIT_C')))
"""
