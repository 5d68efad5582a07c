"""Credit packs as they are offered: what each costs, what a coupon makes of it, and who may buy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_login import current_user
from sqlalchemy.orm import Session

from app import coupons, credits
from app.catalogue import packs, reads
from app.catalogue.terms import ActionTerms, PackTerms
from app.coupons import CouponRefused, Discount
from app.customers import members
from app.extensions import db
from app.flows import sold_by
from app.http.auth import current_customer_id
from app.http.filters import cents, number, small_price
from app.money import Money
from app.payments import orders
from app.providers.values import Cap
from app.web import channel_choice
from app.web.channel_choice import Offered
from app.web.top_up_panel import Closed
from app.web.waiting import Line
from app.web.wallet_forms import fresh_form_key

SELLS_ONCE = {Cap.CUSTOM_AMOUNT, Cap.NAMED_PRODUCTS}  # any amount, or what is named there
READ_ONLY = Closed("You can look, not pay", "Ask an owner of this customer for the right to pay, on the team page.")
SWITCHED_OFF = Closed(
    "Packs cannot be bought now", "No payment provider is set up here. Credits you have can be spent."
)


@dataclass(frozen=True)
class Quote:
    """What a pack comes to: in money, and in credits. `error` says why a coupon does not count."""

    pay: list[Line]
    after: list[Line]
    due: Money
    error: str = ""


@dataclass(frozen=True)
class Offer:
    """One pack on the page, with a form of its own."""

    pack: PackTerms
    price: str
    note: str
    less: int  # percent off a single credit, against the smallest pack
    form_key: str
    quote: Quote
    offered: Offered  # by whom


def panel() -> dict[str, Any]:
    """What `credits/_packs.html` and `credits/_pack_dialogs.html` need."""
    session, customer_id = db.session(), current_customer_id()
    catalogue = reads.live(session)
    action = catalogue.actions[0] if catalogue.actions else None
    has = credits.balance(session, customer_id).available if catalogue.packs else 0
    return {
        "offers": [offer_of(pack, catalogue.packs, action, has) for pack in catalogue.packs],
        "packs_closed": closed_because(),
        "provider_title": channel_choice.only_title(),
        "packs_under_way": orders.under_way(session, customer_id, kind="pack"),
    }


def offer_of(pack: PackTerms, among: tuple[PackTerms, ...], action: ActionTerms | None, has: int) -> Offer:
    """A pack among those on offer; `has` is how many credits the reader has."""
    each = small_price(packs.each_in_hundredths(pack.price_minor, pack.credits), pack.currency)
    times = pack.credits // action.credits if action else 0
    enough = f", {number(times)} × {action.name[:1].lower()}{action.name[1:]}" if action and times else ""
    return Offer(
        pack=pack,
        price=cents(pack.price_minor, pack.currency),
        note=f"{each} a credit{enough}",
        less=packs.less_each(among, pack),
        form_key=fresh_form_key(),
        quote=_quote(pack, None, has, ""),
        offered=offered_by(pack),
    )


def offered_by(pack: PackTerms, *, strict: bool = False) -> Offered:
    """The providers that sell this pack, and which one is chosen."""
    return channel_choice.among(sold_by.of_pack(channel_choice.all_of_them(), pack), strict=strict)


def quote_of(session: Session, customer_id: str, pack: PackTerms, code: str) -> Quote:
    """What the pack comes to with this coupon, "" for none. Promises nothing: only buying reserves it."""
    has = credits.balance(session, customer_id).available
    if not code:
        return _quote(pack, None, has, "")
    price, what = Money(pack.price_minor, pack.currency), f"pack:{pack.key}"
    # Buying closes the pages that were left with this coupon, so they do not stand in its way here either.
    left = [order.id for order in orders.open_of_kind(session, customer_id, "pack") if order.state == "open"]
    try:
        discount = coupons.quote(session, code, customer_id=customer_id, what=what, price=price, given_up=left)
    except CouponRefused as refusal:
        return _quote(pack, None, has, refusal.sentence)
    return _quote(pack, discount, has, "")


def closed_because() -> Closed | None:
    """Who may not buy, or why nobody can; None when there is a button."""
    if not members.allows(current_user.permission, "write"):
        return READ_ONLY
    providers = channel_choice.all_of_them().values()
    return None if any(each.capabilities & SELLS_ONCE for each in providers) else SWITCHED_OFF


def _quote(pack: PackTerms, discount: Discount | None, has: int, error: str) -> Quote:
    price = Money(pack.price_minor, pack.currency)
    due = discount.after if discount else price
    pay: list[Line] = [(pack.name, cents(price.minor, price.currency), "")]
    if discount and discount.off.minor:
        pay.append((f"Coupon {discount.code}", cents(-discount.off.minor, price.currency), ""))
    after: list[Line] = [("Credits now", number(has), ""), ("This pack", number(pack.credits, sign=True), "")]
    bonus = discount.credits if discount else 0
    if discount and bonus:
        after.append((f"Coupon {discount.code}", number(bonus, sign=True), ""))
    return Quote(
        pay=[*pay, ("You pay", cents(due.minor, due.currency), "")],
        after=[*after, ("Credits after", number(has + pack.credits + bonus), "")],
        due=due,
        error=error,
    )
