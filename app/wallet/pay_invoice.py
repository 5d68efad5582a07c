"""Paying an invoice of ours from the wallet: what was sold becomes revenue, its tax is set aside (SPEC P10, I2)."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import ledger
from app.errors import InsufficientFunds
from app.money import decimal, micros_per_minor, minor_to_micros
from app.wallet.accounts import cash, revenue, tax, wallet_of


class DueInvoice(Protocol):
    """What paying needs to know of an invoice; `app.invoices.Invoice` is one. Minor units of `currency`."""

    @property
    def id(self) -> str: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def number(self) -> str | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def tax_minor(self) -> int: ...
    @property
    def total_minor(self) -> int: ...


def pay_invoice(session: Session, invoice: DueInvoice, *, description: str) -> ledger.Entry:
    """Take the invoice's total from the wallet, promotional money first, once per invoice.

    Raises InsufficientFunds with what is missing and what to do (details: also `missing_minor`, `remedy`), and then
    nothing was taken. The total must be above zero: there is nothing to pay on an invoice over nothing.
    """
    currency = invoice.currency
    total, taxes = minor_to_micros(invoice.total_minor, currency), minor_to_micros(invoice.tax_minor, currency)
    wallet = wallet_of(invoice.customer_id, currency)
    legs = {wallet: -total, revenue(currency): total - taxes, tax(currency): taxes}
    try:
        return ledger.post(
            session,
            "subscription",
            {account: amount for account, amount in legs.items() if amount},
            customer_id=invoice.customer_id,
            key=f"invoice:{invoice.id}",
            data={"description": description, "invoice": invoice.id, "number": invoice.number},
        )
    except InsufficientFunds as short:
        raise _told(short, currency) from short


def paid_by_card(session: Session, invoice: DueInvoice, *, channel: str, payment_id: str) -> ledger.Entry:
    """Book an invoice of ours that a card paid: the provider holds the money, the wallet is not touched. Once."""
    currency = invoice.currency
    total, taxes = minor_to_micros(invoice.total_minor, currency), minor_to_micros(invoice.tax_minor, currency)
    legs = {cash(channel, currency): -total, revenue(currency): total - taxes, tax(currency): taxes}
    return ledger.post(
        session,
        "card_payment",
        {account: amount for account, amount in legs.items() if amount},
        customer_id=invoice.customer_id,
        key=f"invoice:{invoice.id}",
        data={"invoice": invoice.id, "number": invoice.number, "payment": payment_id},
    )


def _told(short: InsufficientFunds, currency: str) -> InsufficientFunds:
    """The ledger's refusal with the way out: how much to top up, in whole minor units, rounded up."""
    needed, available = short.details["needed_micros"], short.details["available_micros"]
    one = micros_per_minor(currency)
    missing = -((available - needed) // one)
    amount = f"{'$' if currency == 'usd' else ''}{decimal(missing * one)}"
    remedy = f"Top up at least {amount}{'' if currency == 'usd' else ' ' + currency.upper()}, or pay by card."
    return InsufficientFunds(
        f"{short.sentence} {remedy}",
        available_micros=available,
        needed_micros=needed,
        missing_minor=missing,
        remedy=remedy,
    )
