"""Where the orders come from: `orders.csv` beside this file."""
import csv
import pathlib
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Item:
    sku: str
    price: Decimal
    qty: int = 1


@dataclass
class Customer:
    name: str
    orders: int


def read_cart(text):
    cart = []
    for part in text.split():
        sku, price, qty = part.split(":")
        cart.append(Item(sku, Decimal(price), int(qty)))
    return cart


def read_orders():
    with open(pathlib.Path(__file__).with_name("orders.csv"), newline="") as file:
        for row in csv.DictReader(file):
            customer = Customer(row["name"], int(row["earlier"]))
            yield int(row["number"]), customer, read_cart(row["cart"])
