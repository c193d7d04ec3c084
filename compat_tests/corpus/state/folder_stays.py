"""Changes the folder in one execution and works there in the next."""
OWN_GATEWAY = True


def drive(at):
    at.write("work/a.txt", "content")
    channel = at.run("import os; os.chdir(channel.receive()); channel.send(os.listdir('.'))")
    channel.send(at.folder + "/work")
    at.follow(channel)
    at.follow(at.run("import os; channel.send((os.path.basename(os.getcwd()), open('a.txt').read())); open('b.txt', 'w').write('new')"))
    at.follow(at.run("import os; os.chdir('nowhere')"))
