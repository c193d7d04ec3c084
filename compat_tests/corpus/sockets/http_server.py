"""Serves a folder over HTTP in a thread and fetches from it with urllib."""


def remote(channel, folder):
    import functools
    import http.server
    import threading
    import urllib.error
    import urllib.request

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = "http://127.0.0.1:%d/" % server.server_port
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(base + "page.html") as answer:
            channel.send((answer.status, answer.headers["Content-Type"], answer.read()))
        opener.open(base + "missing")
    except urllib.error.HTTPError as error:
        channel.send(error.code)
        error.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def drive(at):
    at.write("page.html", "<p>hello</p>")
    at.follow(at.run(remote, folder=at.folder))
