"""Orders events by time and priority with the sched module and a clock of its own."""

remote = """
import sched
now = [0]
def delay(seconds):
    now[0] += seconds
events = sched.scheduler(lambda: now[0], delay)
for at, priority, name in channel.receive():
    events.enter(at, priority, lambda name=name: channel.send((now[0], name)))
events.run()
"""


def drive(at):
    channel = at.run(remote)
    channel.send([(5, 1, "late"), (1, 2, "second"), (1, 1, "first")])
    at.follow(channel)
