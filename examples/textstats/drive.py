"""Drives the Go program beside it with pip's execnet:

    go build -o /tmp/textstats ./examples/textstats
    python examples/textstats/drive.py /tmp/textstats
"""
import sys

import execnet

gw = execnet.makegateway("popen//python=" + sys.argv[1])
channel = gw.remote_exec("""
    import textstats                       # Go functions, registered by that program
    for doc in channel:
        channel.send(textstats.count(doc))
""")
for doc in ["The dog sleeps; the fox does not.", "The cat waits."]:
    channel.send(doc)
    print(sorted(channel.receive().items()))
execnet.default_group.terminate(1)
