"""What a customer pays: items, coupon codes, loyalty."""
from decimal import Decimal

RATES = {"WELCOME10": Decimal("0.10"), "SPRING15": Decimal("0.15"), "LOYAL20": Decimal("0.20")}


def add_loyalty(codes, customer):
    if customer.orders >= 5:
        codes.append("LOYAL20")  # mark: append
    return codes


def discount(subtotal, codes):
    rate = Decimal(0)
    for code in codes:
        rate += RATES[code]
    return subtotal * rate


def total_due(cart, customer, codes=[]):
    codes = add_loyalty(codes, customer)
    subtotal = sum(item.price * item.qty for item in cart)
    off = discount(subtotal, codes)
    due = subtotal - off
    if due < 0:
        raise ValueError(f"total below zero: {due:.2f}")  # mark: raise
    return due.quantize(Decimal("0.01"))
