"""`purser wallet`: adjusting a wallet by hand, with a reason (SPEC C6)."""

from __future__ import annotations

import click

from app import adjustments, ids, ledger
from app.adjustments import Wish
from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.customers import customers
from app.db import transaction
from app.errors import NotFound
from app.money import decimal, minor_to_micros, parse_minor
from app.wallet.accounts import wallet_of


@click.group()
def wallet() -> None:
    """Adjust wallets."""


@wallet.command()
@click.option("--customer", "customer_id", required=True, metavar="ID")
@click.option("--amount", required=True, help="Like 10.00; with a minus sign it is taken.")
@click.option("--reason", required=True, help="The customer reads it on the statement.")
@click.option("--key", default=None, help="The same key again adjusts nothing: for scripts that may run twice.")
@answering
def adjust(customer_id: str, amount: str, reason: str, key: str | None) -> Answer:
    """Give money to a wallet or take it, never below zero."""
    settings = read_settings()
    currency = settings.currency
    micros = minor_to_micros(parse_minor(amount.strip().removeprefix("-"), currency), currency)
    micros = -micros if amount.strip().startswith("-") else micros
    with opened(settings) as session:
        with transaction(session):
            if customers.by_id(session, customer_id) is None:
                raise NotFound(f"There is no customer {customer_id[:64]!r}.")
            key = "cli:" + (key or ids.new("adj"))
            wish = Wish(customer_id, currency, micros, reason, key)
            # Whoever runs commands here could change the books by hand: they are the operator, and need nobody else.
            asked = adjustments.ask(session, wish, by=OPERATOR, person=None, limit=None)
            assert asked.entry is not None, "without a limit nothing waits"
        balance = ledger.balance(session, wallet_of(customer_id, currency)).balance
    told = {"id": asked.entry.id, "amount_micros": micros, "balance_micros": balance, "replayed": asked.replayed}
    return Answer([f"{asked.entry.id}: the wallet is at {decimal(balance)} {currency.upper()} now."], told)
