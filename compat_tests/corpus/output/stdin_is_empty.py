"""Reads the worker's stdin, which has nothing, and asks for input."""
OWN_GATEWAY = True

remote = """
import os, sys
channel.send(sys.stdin.read())
channel.send(os.read(0, 10))
try:
    input('name? ')
except EOFError as e:
    channel.send(str(e))
channel.send(sys.stdin.isatty())
"""
