"""The facts that xdist asks for when a worker starts: versions, path, folder, platform."""
OWN_GATEWAY = True

remote = """
import os, sys
config = channel.receive()
os.chdir(config['chdir'])
os.environ.setdefault('PYTHONPATH', '')
sys.path[:] = [p for p in sys.path if p] + config['path']
channel.send({'version': sys.version, 'version_info': tuple(sys.version_info), 'executable': sys.executable,
              'platform': sys.platform, 'cwd': os.getcwd(), 'last': sys.path[-1]})
channel.send(('main_thread', __import__('threading').current_thread().name))
"""


def drive(at):
    channel = at.run(remote)
    channel.send({"chdir": at.folder, "path": ["/corpus/path"]})
    at.follow(channel)
