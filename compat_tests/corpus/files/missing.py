"""Opens files that are not there, or not to be opened, and sends what the errors say."""


def remote(channel, folder):
    import errno
    import os
    for attempt in [lambda: open(os.path.join(folder, "missing")),
                    lambda: open(folder),
                    lambda: os.listdir(os.path.join(folder, "nowhere")),
                    lambda: os.mkdir(folder),
                    lambda: open(os.path.join(folder, "x"), "q"),
                    lambda: os.rename(os.path.join(folder, "m"), folder + "/n")]:
        try:
            attempt()
        except OSError as error:
            channel.send((type(error).__name__, errno.errorcode[error.errno], error.strerror,
                          (error.filename or "").replace(folder, "F")))
        except ValueError as error:
            channel.send(str(error))
    open(os.path.join(folder, "missing"))


def drive(at):
    at.follow(at.run(remote, folder=at.folder))
