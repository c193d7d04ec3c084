"""The Python code of the service. After a change, SIGHUP makes the service use it."""
SLOPE = 2.0


def predict(x):
    return SLOPE * float(x)
