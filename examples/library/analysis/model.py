import pkgutil

from .numbers import mean


def fit(points, unit=None):
    """The line with the least squares of distances, as a dict."""
    if len(points) < 2:
        raise ValueError("a line needs two points")
    x, y = [p[0] for p in points], [p[1] for p in points]
    slope = (mean(a * b for a, b in points) - mean(x) * mean(y)) / (mean(a * a for a in x) - mean(x) ** 2)
    if unit is None:
        unit = pkgutil.get_data("analysis", "unit.txt").decode().strip()
    return {"Slope": slope, "Intercept": mean(y) - slope * mean(x), "Unit": unit}
