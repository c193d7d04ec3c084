"""Sets variables in one execution, which the next one and its children see."""
OWN_GATEWAY = True


def drive(at):
    at.follow(at.run("import os; os.environ['CORPUS_A'] = 'one'; channel.send(os.environ.get('CORPUS_B'))"))
    at.follow(at.run("import os; channel.send(os.environ['CORPUS_A']); os.putenv('CORPUS_B', 'two')"))
    at.follow(at.run("import subprocess; channel.send(subprocess.check_output('echo $CORPUS_A-$CORPUS_B', shell=True))"))
    at.follow(at.run("import os; del os.environ['CORPUS_A']; os.environ['CORPUS_A']"))
