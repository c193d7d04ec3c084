"""Makes one report of what pytest-cov has measured in all workers, with pytest-cov's own means.

The channel carries what it needs, a dict, and back (text, total, whether that is too little).
"""
import io
import os

options, topdir = channel.receive()


def combine(options, topdir):
    class Options(object):
        pass

    wanted = Options()
    for name, value in options.items():
        setattr(wanted, str(name), value)
    os.chdir(topdir)
    from pytest_cov import engine
    append, wanted.cov_append = wanted.cov_append, True  # or it would remove what workers have left

    class Config(object):
        option = wanted
    controller = engine.DistMaster(wanted, Config, None)
    controller.start()
    if not append:
        file = os.path.abspath(controller.cov.config.data_file)
        if os.path.exists(file):
            os.remove(file)
    controller.finish()
    out = io.StringIO() if str is not bytes else __import__("StringIO").StringIO()
    total = controller.summary(out)
    least = wanted.cov_fail_under
    if least is None:
        least = getattr(controller.cov.config, "fail_under", 0)
    text = out.getvalue()
    return (text if str is not bytes else text.decode("utf-8", "replace")), float(total or 0), bool(least and (total or 0) < least)


channel.send(combine(options, topdir))
