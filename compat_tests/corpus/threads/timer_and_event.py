"""Waits for an Event that a Timer sets, and cancels another Timer."""


def remote(channel):
    import threading
    event, fired = threading.Event(), []
    never = threading.Timer(60, fired.append, ["never"])
    never.start()
    soon = threading.Timer(0.01, lambda: (fired.append("soon"), event.set()))
    soon.start()
    channel.send(event.wait(20))
    never.cancel()
    never.join()
    channel.send((fired, event.is_set(), never.is_alive()))
