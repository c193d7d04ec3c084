"""Drives the Go program in this folder, which counts words, by Python's execnet.

The argument is a spec for that program:

    popen//python=bin/textstats                   here
    ssh=host//python=/path/to/textstats           on another host
    socket=localhost:8888                         behind execnet socketserver --worker bin/textstats
"""
import sys

import execnet

gw = execnet.makegateway(sys.argv[1])
channel = gw.remote_exec("""
    import textstats                       # the Go functions that the program has registered
    for doc in channel:
        channel.send(textstats.count(doc))
""")
for doc in ["The dog sleeps; the fox does not.", "The cat waits."]:
    channel.send(doc)
    print(sorted(channel.receive().items()))
execnet.default_group.terminate(1)
