"""A service that speaks JSON text both ways."""


def remote(channel):
    import json
    store = {}
    for text in channel:
        try:
            request = json.loads(text)
            if request["op"] == "put":
                store[request["key"]] = request["value"]
                answer = {"stored": len(store)}
            else:
                answer = {"value": store[request["key"]]}
        except ValueError as e:
            answer = {"error": "no JSON: %s" % e}
        except KeyError as e:
            answer = {"error": "no %s" % e}
        channel.send(json.dumps(answer, sort_keys=True, separators=(",", ":")))


def drive(at):
    channel = at.run(remote)
    for text in ['{"op": "put", "key": "a", "value": [1, 2.50, null, true, "\\u20ac"]}', '{"op": "get", "key": "a"}',
                 '{"op": "get", "key": "b"}', '{"op": ', '[]', '{"op": "put", "key": "x", "value": {"y": 1e3}}', '{"op": "get", "key": "x"}']:
        channel.send(text)
        try:
            at.receive(channel)
        except (EOFError, channel.RemoteError):
            break
    at.end(channel)
