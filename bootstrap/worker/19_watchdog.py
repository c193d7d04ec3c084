# Ends the process when its driver is gone and no thread of it can run.


class Watchdog(object):
    """A child process that kills this process if it is there limit seconds after its driver.

    No thread of Python can do that while C code holds the GIL, or while a callback keeps the
    reader from reading the end of the stream. The child waits in one poll for two descriptors: fd,
    from which this process reads, for its end; and a pipe to which only this process holds the
    writing end, which ends when this process does. It reads nothing, and it does not keep open what
    this process writes to, as the driver waits for the end of that.

    If this process has an Output, the child also sees to its pipes: it writes to stderr what one
    still holds when this process has died, and what nobody has read for 3 seconds, since C code may
    hold the GIL while it prints.
    """

    def __init__(self, fd, others, limit, output=None):
        """others are descriptors that the child does not keep."""
        self.pid = None
        if not hasattr(os, "fork") or _thread._count():
            return  # Windows; or threads run that somebody has started before the worker
        worker = getpid()
        try:
            alive, writing_end = os.pipe()
            if PY2:
                not_inherited(writing_end)
            signal = None if PY2 else __import__("_signal")
            if hasattr(signal, "pthread_sigmask"):
                # A Ctrl-C in the first moments of the child would end it, or show a traceback.
                mask = signal.pthread_sigmask(signal.SIG_BLOCK, [2])
            try:
                self.pid = os.fork()
            finally:
                if self.pid != 0:
                    os.close(alive)
                    if hasattr(signal, "pthread_sigmask"):
                        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        except OSError:
            return  # there is no descriptor, memory or process for it
        if self.pid == 0:
            try:
                os.setsid()  # Ctrl-C at a terminal does not reach it
                if output:
                    os.dup2(output.before[1], 2)  # stderr may be one of its pipes
                for other in others + (writing_end,):
                    os.close(other)
                self.watch(worker, fd, alive, limit, output)
            finally:
                os._exit(0)

    @staticmethod
    def watch(worker, fd, alive, limit, output):
        select = stdlib("select")
        ended = select.POLLHUP | getattr(
            select, "POLLRDHUP", 0x2000 if sys.platform.startswith("linux") else 0)
        poll = select.poll()
        poll.register(fd, ended)
        poll.register(alive, ended)
        pipes = [reading for reading, _ in output.pipes.values()] if output else []
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
            fcntl = stdlib("fcntl")  # the worker may be reading, too
            fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_NONBLOCK)
        deadline, full = None, {}  # full: of pipes with content: since when, and the beat
        while os.getppid() == worker:  # children of the worker may hold the writing end, too
            left = 60.0 if deadline is None else deadline - now()
            if left <= 0:
                os.kill(worker, 9)
                break
            events = dict(poll.poll(min(left, 1.0 if full else 60.0) * 1000))
            if alive in events:
                break
            for pipe in pipes:
                if pipe in events:
                    poll.unregister(pipe)  # otherwise each line would wake this process
                    full[pipe] = now(), output.beat[:]
                elif pipe in full:
                    since, beat = full[pipe]
                    if not poll_fd(pipe, 0):
                        del full[pipe]
                        poll.register(pipe, select.POLLIN)
                    elif output.beat[:] != beat:
                        full[pipe] = now(), output.beat[:]
                    elif now() - since > 3:
                        pass_to_stderr(pipe)
            if events.get(fd, 0) & ended:
                poll.unregister(fd)
                os.close(fd)
                deadline = now() + limit
            elif fd in events:
                sleep(1)
        for pipe in pipes:
            while pass_to_stderr(pipe):
                pass

    def stop(self):
        """End the child and reap it, as pid 1 of a container may not do that."""
        pid, self.pid = self.pid, None
        try:
            if pid and os.waitpid(pid, os.WNOHANG)[0] == 0:  # otherwise the id may be another's now
                os.kill(pid, 9)
                retrying(os.waitpid)(pid, 0)
        except OSError:
            pass  # the remote code has waited for it


def pass_to_stderr(pipe):
    try:
        return os.write(2, os.read(pipe, CHUNK))
    except EnvironmentError:
        return 0  # it is empty


def closed(*args):
    raise ValueError("closed")
