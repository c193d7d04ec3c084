"""Sums money with Decimal and fractions, rounded as accountants do."""


def remote(channel, amounts):
    from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, getcontext, localcontext
    from fractions import Fraction
    total = sum(Decimal(a) for a in amounts)
    tax = (total * Decimal("0.075")).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    channel.send((str(total), str(tax), "{:,.2f}".format(total * 1000)))
    with localcontext() as context:
        context.prec = 5
        channel.send(str(Decimal(1) / Decimal(7)))
    channel.send(str(sum(Fraction(1, n) for n in range(1, 8))))
    channel.send(getcontext().prec)
    try:
        Decimal("1,5")
    except InvalidOperation as e:
        channel.send(type(e).__name__)
    channel.send(total)


def drive(at):
    at.follow(at.run(remote, amounts=["19.99", "0.01", "100.105"]))
