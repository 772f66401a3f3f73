"""Bills a night's orders one after the other. Order 32 comes out below zero; why?"""
if __package__:
    from shop.orders import read_orders
    from shop.pricing import total_due
else:
    from orders import read_orders
    from pricing import total_due


def main():
    """Prints what each order costs."""
    for number, customer, cart in read_orders():
        if customer.orders == 2:
            # The second parcel is paid with the coupon from the first.
            due = total_due(cart, customer, ["WELCOME10"])
        else:
            due = total_due(cart, customer)  # mark: bill
        print(number, customer.name, customer.orders, due)


if __name__ == "__main__":
    main()
