"""Formats with f-strings."""

remote = '''
name, n, x = "w\u00f6rld", 5, 3.14159
channel.send(f"hello {name}!")
channel.send(f"{n:03d}|{x:.2f}|{n * 2}|{name!r}|{name:>8}|{{literal}}")
width = 10
channel.send(f"{x:{width}.{n}}|{'nested ' + f'{n}'}")
channel.send(f"{n=}" f"{[i for i in range(n)]}")
channel.send(f"""lines {
    n + 1}
end""")
channel.send(f"{undefined}")
'''
