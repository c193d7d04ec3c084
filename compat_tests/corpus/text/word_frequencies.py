"""Counts words and finds the most frequent, with and without the library."""

remote = """
text = channel.receive()
counts = {}
for word in text.lower().split():
    word = word.strip('.,;!?')
    if word:
        counts[word] = counts.get(word, 0) + 1
channel.send(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3])
channel.send(max(counts, key=len))
channel.send({n: sorted(w for w in counts if len(w) == n) for n in (2, 3)})
"""


def drive(at):
    channel = at.run(remote)
    channel.send("The cat saw the dog. The dog, it is said, saw a mouse; the mouse ran!")
    at.follow(channel)
