def mean(values):
    values = list(values)
    return sum(values) / float(len(values))
