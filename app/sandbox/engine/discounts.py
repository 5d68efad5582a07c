"""Discounts: a coupon redeemed for a subscription, a checkout or an invoice, and what it takes off lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.sandbox.blanks import Object, blank
from app.sandbox.engine.amounts import share
from app.sandbox.engine.calendar import later
from app.sandbox.fault import refused
from app.sandbox.ids import new_id
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_PRECISE = 1_000_000  # parts of one percent


@dataclass(frozen=True)
class Offer:
    """A coupon that may be used now, and the promotion code that named it, if one did."""

    coupon: Object
    code: Object | None = None

    @property
    def named(self) -> Object:
        """As a checkout session lists it."""
        return {"coupon": self.coupon["id"], "promotion_code": self.code["id"] if self.code else None}


def offer(tx: Tx, asked: Object, customer: str | None, param: str = "discounts[0]") -> Offer:
    """The coupon behind `{coupon}` or `{promotion_code}`. Raises a Fault when it cannot be redeemed now."""
    code = None
    if "promotion_code" in asked:
        code = tx.get("promotion_code", asked["promotion_code"], f"{param}[promotion_code]")
        _check_code(tx, code, customer, f"{param}[promotion_code]")
    named = str(code["promotion"]["coupon"] if code else asked.get("coupon"))
    coupon = tx.get("coupon", named, f"{param}[coupon]")
    if not is_valid(tx, coupon):
        raise refused(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=f"{param}[coupon]")
    return Offer(coupon, code)


def by_text(tx: Tx, text: str, customer: str | None) -> Offer:
    """The offer behind a code that somebody typed, whatever its case. Raises a Fault for one that cannot be used."""
    for code in tx.every("promotion_code", code=text.upper()):
        if code["active"]:
            return offer(tx, {"promotion_code": code["id"]}, customer)
    raise refused("This code is invalid.", code="promotion_code_invalid", param="code")


def is_valid(tx: Tx, coupon: Object) -> bool:
    """Whether it can still be redeemed."""
    most, until = coupon["max_redemptions"], coupon["redeem_by"]
    return (most is None or coupon["times_redeemed"] < most) and (until is None or tx.now < until)


def prepared(tx: Tx, chosen: Offer, **owner: str | None) -> Object:
    """The discount as it would be: for previews, which redeem nothing."""
    months = chosen.coupon["duration_in_months"]
    return blank(
        "discount",
        id=new_id("discount"),
        start=tx.now,
        end=later(tx.now, "month", months) if months else None,
        promotion_code=chosen.code["id"] if chosen.code else None,
        source={"coupon": chosen.coupon["id"], "type": "coupon"},
        **owner,
    )


def redeem(tx: Tx, chosen: Offer, **owner: str | None) -> Object:
    """Use it up once, and keep the discount for its owner: customer, subscription, checkout_session."""
    made = prepared(tx, chosen, **owner)
    tx.new("discount", **{name: value for name, value in made.items() if name != "object"})
    for used in filter(None, (chosen.coupon, chosen.code)):
        tx.change(used, times_redeemed=used["times_redeemed"] + 1)
    tx.change(chosen.coupon, valid=is_valid(tx, chosen.coupon))
    if chosen.code and chosen.code["times_redeemed"] == chosen.code["max_redemptions"]:
        tx.change(chosen.code, active=False)
    emit(tx, "customer.discount.created", tx.get("discount", made["id"]))
    return made


def current(tx: Tx, subscription: Object, at: int) -> list[Object]:
    """The subscription's discounts that still count at this instant."""
    held = [tx.get("discount", each) for each in subscription["discounts"]]
    return [each for each in held if each["end"] is None or at < each["end"]]


def kept_after(tx: Tx, held: list[Object]) -> list[str]:
    """Ids of the discounts that go on after an invoice was written under these: not those for one invoice only."""
    once = [each for each in held if coupon_of(tx, each)["duration"] == "once"]
    for each in once:
        emit(tx, "customer.discount.deleted", each)
    return [each["id"] for each in held if each not in once]


def coupon_of(tx: Tx, discount: Object) -> Object:
    """The coupon it came from."""
    return tx.get("coupon", discount["source"]["coupon"])


def take_off(tx: Tx, lines: list[Object], held: list[Object]) -> None:
    """Write on each line what every discount, one after the other, takes off it. Amounts in minor units."""
    for discount in held:
        coupon = coupon_of(tx, discount)
        eligible = [line for line in lines if line["discountable"] and net(line) > 0 and _covers(tx, coupon, line)]
        for line, amount in zip(eligible, parts(coupon, [net(line) for line in eligible]), strict=True):
            line["discounts"] = [*line["discounts"], discount["id"]]
            line["discount_amounts"] = [*line["discount_amounts"], {"amount": amount, "discount": discount["id"]}]


def net(line: Object) -> int:
    """What is left of a line after its discounts, before tax."""
    left: int = line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
    return left


def parts(coupon: Object, amounts: list[int]) -> list[int]:
    """What a coupon takes off each of these amounts; never more than there is, and exactly its sum in total."""
    if coupon["percent_off"] is not None:
        percent = int(Decimal(str(coupon["percent_off"])) * _PRECISE)
        return [share(amount, percent, 100 * _PRECISE) for amount in amounts]
    whole, off = sum(amounts), min(coupon["amount_off"], sum(amounts))
    given: list[int] = []
    so_far = 0
    for amount in amounts:
        so_far += amount
        given.append(share(off, so_far, whole) - sum(given) if whole else 0)
    return given


def _covers(tx: Tx, coupon: Object, line: Object) -> bool:
    products = tx.hidden(coupon["id"]).get("products")
    return not products or line["pricing"]["price_details"]["product"] in products


def _check_code(tx: Tx, code: Object, customer: str | None, param: str) -> None:
    most, until = code["max_redemptions"], code["expires_at"]
    spent = most is not None and code["times_redeemed"] >= most
    if not code["active"] or spent or (until is not None and tx.now >= until):
        raise refused("This promotion code is not active or has expired.", code="promotion_code_expired", param=param)
    if code["customer"] not in (None, customer):
        words = "This promotion code cannot be redeemed because it belongs to another customer."
        raise refused(words, code="promotion_code_customer_mismatch", param=param)
    first_only = code["restrictions"]["first_time_transaction"]
    if first_only and customer and tx.every("charge", limit=1, customer=customer, status="succeeded"):
        words = "This promotion code cannot be redeemed because the associated customer has prior transactions."
        raise refused(words, code="promotion_code_customer_not_first_time", param=param)
