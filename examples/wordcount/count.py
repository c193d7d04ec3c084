"""Runs in a worker. Counts the words of each text that it receives, until the channel is closed."""
import re
from collections import Counter

for text in channel:  # noqa: F821 (execnet's global)
    words = Counter(re.findall(r"[a-z]+", text.lower()))
    channel.send({"total": sum(words.values()), "words": dict(words)})  # noqa: F821
