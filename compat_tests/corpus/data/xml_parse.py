"""Reads an XML document and sends what is in it."""


def remote(channel, text):
    import xml.etree.ElementTree as ElementTree
    root = ElementTree.fromstring(text)
    for host in root.iter("host"):
        channel.send((host.get("name"), [a.text for a in host.findall("addr")], host.findtext("note", "none")))
    new = ElementTree.SubElement(root, "host", name="c")
    new.text = "<&>"
    channel.send(ElementTree.tostring(root.find("host[@name='c']"), encoding="unicode"))
    try:
        ElementTree.fromstring("<a><b></a>")
    except ElementTree.ParseError as e:
        channel.send(e.position)


def drive(at):
    at.follow(at.run(remote, text="<net><host name='a'><addr>1.1</addr><addr>1.2</addr></host><host name='b'><note>x</note></host></net>"))
