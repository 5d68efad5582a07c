"""Charges for services billed to the wallet (SPEC U8): at a publisher's list price, or at cost plus a markup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import Invalid
from app.ledger import Account, Entry
from app.money import round_half_away
from app.wallet import words
from app.wallet.accounts import commission, payable, revenue, upstream_cost, wallet_of
from app.wallet.amounts import positive
from app.wallet.books import Where, books, key_of

_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Charge:
    """What a service costs: the ledger kind, what the customer pays, and who gets it. All in micros."""

    kind: str
    service: str
    total: int
    parts: Mapping[Account, int]  # sums to the total
    told: Mapping[str, int | str]  # kept with the entry, for the statement


def at_list_price(
    service: str, price: int, *, publisher: str | None, commission_percent: int, currency: str = "usd"
) -> Charge:
    """The publisher's price. Our commission is rounded once, half away from zero; the publisher is owed the rest.

    Without a publisher the service is the house's own and the whole price is revenue.
    """
    positive(price, field="list_price_micros")
    _named(service)
    if publisher is None:
        return Charge("invocation", service, price, {revenue(currency): price}, {"list_price_micros": price})
    owed_to = payable(publisher, currency)
    ours = round_half_away(price * commission_percent, 100)
    told: dict[str, int | str] = {"list_price_micros": price, "commission_micros": ours, "publisher": publisher}
    return Charge("invocation", service, price, {owed_to: price - ours, commission(currency): ours}, told)


def at_cost_plus(service: str, cost: int, *, markup_percent: int, currency: str = "usd") -> Charge:
    """Upstream cost plus our markup, rounded once, half away from zero. Identity checks have a kind of their own."""
    positive(cost, field="cost_micros")
    kind = "identity" if _named(service).lower().startswith("identity") else "compute"
    markup = round_half_away(cost * markup_percent, 100)
    told = {"cost_micros": cost, "markup_micros": markup}
    return Charge(kind, service, cost + markup, {upstream_cost(currency): cost, revenue(currency): markup}, told)


def charge(
    where: Where,
    customer_id: str,
    priced: Charge,
    *,
    description: str | None,
    key: str,
    by: str,
    currency: str = "usd",
) -> Entry:
    """Take a priced charge from the wallet once per key. Refuses as `debit` does."""
    parts = {account: amount for account, amount in priced.parts.items() if amount}  # a share may round to nothing
    return books(where).post(
        priced.kind,
        {wallet_of(customer_id, currency): -priced.total, **parts},
        customer_id=customer_id,
        key=key_of("charge", key),
        data={
            "description": words.description(description, _TITLES[priced.kind] + ": " + priced.service),
            "service": priced.service,
            "by": by,
            **priced.told,
        },
    )


_TITLES = {"invocation": "Paid skill", "compute": "Compute", "identity": "Identity check"}


def _named(service: str) -> str:
    if not _SERVICE.match(service):
        raise Invalid("Name the service with 1 to 64 letters, digits or . _ : / - characters.", field="service")
    return service
