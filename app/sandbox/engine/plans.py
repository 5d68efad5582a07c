"""Plans: what a change of items would do to a subscription, computed before it is done. Amounts in minor units."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.sandbox.blanks import Object
from app.sandbox.engine import cover, discounts, invoice_lines
from app.sandbox.engine.amounts import share
from app.sandbox.engine.calendar import later, period_at
from app.sandbox.engine.standing import as_items, dated, items_of, period_of, recurrence
from app.sandbox.tx import Tx


@dataclass
class Plan:
    """A change at an instant. `lines` are what it adds to a bill, which is written at once if `bills_now`."""

    subscription: str
    at: int
    items: list[Object]
    anchor: int
    bills_now: bool
    lines: list[Object] = field(default_factory=list)
    kept: cover.Cover = field(default_factory=dict)

    def record(self, placed: list[Object]) -> Object:
        """All that applying it needs, as JSON. `placed` are all lines of its invoice, if it has one."""
        covered = {**cover.placed(self.kept, placed), **cover.of_lines(self.lines, self.at)}
        fields = {"items": as_items(self.subscription, self.items), "billing_cycle_anchor": self.anchor}
        return {"fields": fields, "cover": covered}


def change_items(
    tx: Tx, subscription: Object, items: list[Object], *, behaviour: str, at: int, reset: bool = False
) -> Plan:
    """The plan for exactly these items from an instant on.

    Another interval, or `reset`, begins a new period there and then and bills it at once. During a trial nothing is
    prorated, for nothing was paid.
    """
    trialing = subscription["status"] == "trialing"
    reset = not trialing and (reset or recurrence(items) != recurrence(items_of(subscription)))
    prorates = behaviour != "none" and not trialing
    old, held = items_of(subscription), discounts.current(tx, subscription, at)
    known = tx.hidden(subscription["id"])["cover"]
    changed = {each["id"] for each in old} if reset else _changed(old, items)
    lines = [
        line for each in old if each["id"] in changed and prorates for line in cover.given_back(tx, known, each, at)
    ]
    period = (at, later(at, *recurrence(items))) if reset else period_of(subscription)
    # The first period may be a short one, up to an anchor; what counts for a share is the length of a whole one.
    whole = period_at(subscription["billing_cycle_anchor"], *recurrence(old), at)
    items = [dated(each, period) for each in items]
    for item in items:
        if reset:
            lines.append(invoice_lines.whole_period(tx, item, *period))
        elif prorates and (item["id"] in changed or item["id"] not in {each["id"] for each in old}):
            lines.append(_rest(tx, item, whole, at, held))
    stays = prorates or reset
    return Plan(
        subscription["id"],
        at,
        items,
        at if reset else subscription["billing_cycle_anchor"],
        bills_now=reset or (behaviour == "always_invoice" and bool(lines)),
        lines=lines,
        kept={item: debits for item, debits in known.items() if not (stays and item in changed)},
    )


def end_now(tx: Tx, subscription: Object, at: int) -> list[Object]:
    """The credits for all that would not be used if the subscription ended at an instant."""
    known = tx.hidden(subscription["id"])["cover"]
    return [line for item in items_of(subscription) for line in cover.given_back(tx, known, item, at)]


def after_discounts(tx: Tx, price: Object, quantity: int, held: list[Object]) -> int:
    """The price of a whole period once these discounts are taken off."""
    amount = int(price["unit_amount"]) * quantity
    for each in held:
        coupon = discounts.coupon_of(tx, each)
        products = tx.hidden(coupon["id"]).get("products")
        if amount and (not products or price["product"] in products):
            amount -= discounts.parts(coupon, [amount])[0]
    return amount


def _changed(old: list[Object], new: list[Object]) -> set[str]:
    kept = {(each["id"], each["price"]["id"], each["quantity"]) for each in new}
    return {each["id"] for each in old if (each["id"], each["price"]["id"], each["quantity"]) not in kept}


def _rest(tx: Tx, item: Object, period: tuple[int, int], at: int, held: list[Object]) -> Object:
    start, end = period
    whole = after_discounts(tx, item["price"], item["quantity"], held)
    return invoice_lines.remaining(tx, item, share(whole, end - at, end - start), (at, end))
