"""Has the Go program beside it count words, for pip's execnet. The argument is a spec that leads to the program:

    popen//python=bin/textstats                   here
    ssh=host//python=/path/to/textstats           on another host
    socket=localhost:8888                         behind execnet socketserver --worker bin/textstats
"""
import sys

import execnet

gw = execnet.makegateway(sys.argv[1])
channel = gw.remote_exec("""
    import textstats                       # Go functions, registered by that program
    for doc in channel:
        channel.send(textstats.count(doc))
""")
for doc in ["The dog sleeps; the fox does not.", "The cat waits."]:
    channel.send(doc)
    print(sorted(channel.receive().items()))
execnet.default_group.terminate(1)
