"""A state machine whose states are an Enum."""
import enum


class State(enum.Enum):
    IDLE = "idle"
    BUSY = "busy"
    DONE = "done"


class Flag(enum.IntFlag):
    READ = 4
    WRITE = 2


ALLOWED = {(State.IDLE, State.BUSY), (State.BUSY, State.DONE), (State.BUSY, State.IDLE)}


def change(old, new):
    if (old, new) not in ALLOWED:
        raise ValueError("cannot go from %s to %s" % (old.value, new.name))
    return new


if __name__ == "__channelexec__":
    state = State.IDLE
    channel.send(int(Flag.READ | Flag.WRITE))
    for word in channel:
        state = change(state, State(word))
        channel.send([s.name for s in State if (state, s) in ALLOWED])


def drive(at):
    channel = at.run(at.module)
    at.receive(channel)
    for word in ["busy", "idle", "busy", "done"]:
        channel.send(word)
        at.receive(channel)
    channel.send("busy")
    at.follow(channel)
