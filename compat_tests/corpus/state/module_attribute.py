"""Keeps a connection in an attribute of a module, where the next execution finds it."""
OWN_GATEWAY = True


def drive(at):
    at.follow(at.run("""
        import sys, types
        state = types.ModuleType('corpus_state')
        state.calls, state.cache = 0, {}
        sys.modules['corpus_state'] = state
    """))
    for key in "aba":
        channel = at.run("""
            import corpus_state
            corpus_state.calls += 1
            key = channel.receive()
            known = key in corpus_state.cache
            corpus_state.cache[key] = known
            channel.send((corpus_state.calls, known, sorted(corpus_state.cache)))
        """)
        channel.send(key)
        at.follow(channel)
