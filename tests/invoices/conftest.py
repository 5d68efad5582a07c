"""What invoices' tests need: a customer, and a desk that makes invoices out to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, invoices
from app.customers import customers
from app.db import transaction
from app.invoices import Invoice, InvoiceLine, InvoiceTax, NewLine, buyers, rates, seller
from app.invoices.seller import Seller
from app.money import Money

SELLER = Seller("Purser Demo Ltd", ("12 Quay Street", "Bristol BS1 4DJ"), "GB", "GB123456789")


@dataclass
class Off:
    """A coupon's part in an invoice."""

    off: Money
    code: str = "HARBOR20"
    name: str = "20% off"


@dataclass
class Desk:
    """Makes invoices out to one customer, each in a transaction of its own."""

    session: Session
    customer_id: str
    made: list[str] = field(default_factory=list)

    def invoice(self, *lines: int | NewLine, off: int = 0, key: str = "", finalised: bool = True) -> Invoice:
        """An invoice with these lines, or lines of so many cents."""
        with transaction(self.session):
            return self.begun(*lines, off=off, key=key, finalised=finalised)

    def begun(self, *lines: int | NewLine, off: int = 0, key: str = "", finalised: bool = True) -> Invoice:
        """The same, within the caller's transaction."""
        self.made.append(key or f"sub_1:{len(self.made)}")
        made = invoices.make(
            self.session,
            customer_id=self.customer_id,
            key=self.made[-1],
            reason="subscription_cycle",
            currency="usd",
            lines=[NewLine("Starter plan", line) if isinstance(line, int) else line for line in lines],
            discount=Off(Money(off, "usd")) if off else None,
        )
        return invoices.finalise(self.session, made) if finalised else made

    def paid(self, *lines: int | NewLine, **more: Any) -> Invoice:
        invoice = self.invoice(*lines, **more)
        with transaction(self.session):
            return invoices.mark_paid(self.session, invoice, paid_with="Wallet", payment_id="wtxn_1", at=clock.now())

    def rate(self, name: str, percent: str, country: str = "GB", **more: Any) -> None:
        with transaction(self.session):
            rates.set_rate(
                self.session, country=country, name=name, rate_ppm=rates.parse_percent(percent), actor="system", **more
            )

    def only_rates(self, parts: list[int]) -> None:
        """These taxes in the seller's country and no others, in parts per million."""
        with transaction(self.session):
            for rate in rates.listed(self.session):
                rates.end_rate(self.session, rate.id, actor="system")
            for place, ppm in enumerate(parts):
                rates.set_rate(self.session, country="GB", name=f"Tax {place}", rate_ppm=ppm, actor="system")

    def buyer(self, country: str = "GB", **more: str) -> None:
        told = {"name": "Alder & Finch Ltd", "customer_type": "business", "line1": "48 Mill Road", "city": "Leeds"}
        with transaction(self.session):
            buyers.set_buyer(
                self.session, self.customer_id, buyers.Details(**{**told, "country": country, **more}), actor="usr_1"
            )

    def taxes(self, invoice: Invoice) -> list[InvoiceTax]:
        return self._parts(InvoiceTax, invoice)

    def lines(self, invoice: Invoice) -> list[InvoiceLine]:
        return self._parts(InvoiceLine, invoice)

    def credit(self, invoice: Invoice, net: int, key: str = "") -> invoices.CreditNote:
        with transaction(self.session):
            return invoices.credit(
                self.session, invoice, net_minor=net, reason="Unused time", returned_to="wallet",
                key=key or f"cn:{invoice.id}:{net}",
            )  # fmt: skip

    def _parts(self, model: Any, invoice: Invoice) -> list[Any]:
        its = (model.customer_id == invoice.customer_id, model.invoice_id == invoice.id)
        return list(self.session.scalars(select(model).where(*its).order_by(model.position)))


@pytest.fixture(autouse=True)
def _seller() -> Iterator[Seller]:
    before = seller.current()
    seller.use(SELLER)
    yield SELLER
    seller.use(before)


@pytest.fixture
def desk(session: Session) -> Desk:
    with transaction(session):
        customer = customers.open_customer(session, name="Alder & Finch", email="ada@example.com", actor="system")
    return Desk(session, customer.id)


def figures(parts: Sequence[Any]) -> list[tuple[str, int]]:
    return [(part.name, part.amount_minor) for part in parts]
