"""A small hierarchy of classes with private names, properties and its own exceptions."""


class InsufficientFunds(Exception):
    def __init__(self, missing):
        super().__init__("%d missing" % missing)
        self.missing = missing


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.__balance = balance

    @property
    def balance(self):
        return self.__balance

    def withdraw(self, amount):
        if amount > self.__balance:
            raise InsufficientFunds(amount - self.__balance)
        self.__balance -= amount


class Savings(Account):
    def __init__(self, owner, balance, rate):
        Account.__init__(self, owner, balance)
        self.__balance = "of the subclass"
        self.rate = rate

    def interest(self):
        return round(self.balance * self.rate, 2)


if __name__ == "__channelexec__":
    account = Savings("ann", 100, 0.05)
    channel.send((account.balance, account.interest()))
    account.withdraw(30)
    channel.send(sorted(vars(account)))
    try:
        account.withdraw(100)
    except InsufficientFunds as e:
        channel.send((str(e), e.missing))
    account.withdraw(71)


def drive(at):
    at.follow(at.run(at.module))
