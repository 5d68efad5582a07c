"""The plan of one of the demo's people, paid from the wallet for months, with a coupon on its invoices."""

from __future__ import annotations

from functools import partial

from app.catalogue import reads
from app.cli.past import Happening, Past
from app.customers.models import Customer

PLAN, COUPON = "starter", "HARBOR20"
BEGINS = 108  # days ago


def from_the_wallet(past: Past, customer_id: str, *, by: str) -> list[Happening]:
    """A subscription of three months with its invoices, and a coupon on them; nothing where no such plan is sold."""
    session = past.session
    if PLAN not in [plan.key for plan in reads.offered_plans(session)]:
        return []
    customer = session.get_one(Customer, customer_id)

    begin = partial(past.subscribes, customer, PLAN, by=by, coupon=past.coupon(COUPON))
    # A month has 31 days at most: on these days the one before it is over. The running one is about half over.
    return [(BEGINS, begin), *((days_ago, past.renews) for days_ago in (77, 46, 15))]
