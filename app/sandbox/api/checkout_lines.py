"""What a checkout session sells: prices by id or written on the spot. Amounts in minor units."""

from __future__ import annotations

from app.sandbox.api.call import Call
from app.sandbox.api.catalogue import make_price, make_product
from app.sandbox.api.subscription_rules import checked
from app.sandbox.blanks import Object, blank
from app.sandbox.fault import not_built, refused
from app.sandbox.ids import new_id


def lines_of(call: Call, mode: str) -> list[Object]:
    """The session's line items, before discounts and tax.

    Raises a Fault unless all are in one currency, and in mode payment one-time, in mode subscription recurring alike.
    """
    trial = {"trial_end", "trial_period_days"} & set(call.params.get("subscription_data", {}))
    lines = [_line(call, place, asked, mode) for place, asked in enumerate(call.params["line_items"])]
    if len({line["currency"] for line in lines}) > 1:
        raise refused("All line items must have the same currency.", param="line_items")
    if mode == "subscription":
        checked([(line["price"], line["quantity"]) for line in lines])
    return [{**line, "amount_subtotal": 0} for line in lines] if trial else lines


def _line(call: Call, place: int, asked: Object, mode: str) -> Object:
    at = f"line_items[{place}]"
    price = _price(call, asked, at)
    if price["recurring"] and mode == "payment":
        words = "You specified `payment` mode but passed a recurring price. Use only one-time prices."
        raise refused(words, param=at)
    if not price["recurring"] and mode == "subscription":
        raise not_built("A one-time price beside a subscription")
    quantity = asked.get("quantity", 1)
    if quantity < 1:
        raise refused(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=f"{at}[quantity]"
        )
    amount = price["unit_amount"] * quantity
    product = call.tx.get("product", price["product"])
    return blank(
        "item",
        id=new_id("item"),
        amount_subtotal=amount,
        currency=price["currency"],
        description=product["name"],
        metadata=asked.get("metadata", {}),
        price=price,
        quantity=quantity,
    )


def _price(call: Call, asked: Object, at: str) -> Object:
    if ("price" in asked) == ("price_data" in asked):
        raise refused("You must specify either `price` or `price_data` for each line item.", param=f"{at}[price]")
    if "price" in asked:
        price = call.tx.get("price", asked["price"], f"{at}[price]")
        if not price["active"]:
            raise refused(
                "The price specified is inactive. This field only accepts active prices.", param=f"{at}[price]"
            )
        return price
    data = asked["price_data"]
    if "unit_amount" not in data or data["unit_amount"] < 0:
        raise refused(
            "Missing or invalid unit_amount.", code="parameter_missing", param=f"{at}[price_data][unit_amount]"
        )
    if ("product" in data) == ("product_data" in data):
        raise refused("You must specify either `product` or `product_data`.", param=f"{at}[price_data][product]")
    if "product" in data:
        product = call.tx.get("product", data["product"], f"{at}[price_data][product]")
    else:
        product = make_product(call.tx, data["product_data"], quiet=True)
    return make_price(call.tx, data, product["id"], active=False, quiet=True)
