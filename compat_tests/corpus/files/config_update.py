"""Changes one key of an ini file in place and keeps a copy of the old file."""


def remote(channel, path, section, key, value):
    import configparser
    import shutil
    shutil.copy2(path, path + ".orig")
    config = configparser.ConfigParser()
    config.read(path)
    if not config.has_section(section):
        config.add_section(section)
    old = config.get(section, key, fallback=None)
    config.set(section, key, value)
    with open(path, "w") as f:
        config.write(f)
    channel.send({"old": old, "new": value, "sections": config.sections()})


def drive(at):
    path = at.write("server.ini", "[http]\nport = 80\n; a comment\nhost: localhost\n")
    at.follow(at.run(remote, path=path, section="http", key="port", value="8080"))
    at.follow(at.run(remote, path=path, section="tls", key="port", value="8443"))
