"""Computes with numpy if the host has it, else tells that it has not."""


def remote(channel):
    try:
        import numpy as np
    except ImportError:
        channel.send("no numpy")
        return
    a = np.arange(12, dtype=np.float64).reshape(3, 4)
    channel.send((a.sum(axis=0).tolist(), float(a.mean()), a.T.shape))
    channel.send((a @ a.T).tolist())
    channel.send(np.linalg.solve(np.array([[2.0, 0], [0, 4]]), np.array([1.0, 2])).tolist())
    channel.send(bool((a[a > 5] % 2 == 0).any()))
    channel.send(a.sum())
