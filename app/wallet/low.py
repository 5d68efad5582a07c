"""Low wallets: told once when what is available falls to the customer's level, and again only after it recovered.

A wallet that was never above the level crosses nothing: who has just signed up is not told that they are poor.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ledger, notices
from app.customers.models import Customer
from app.notices import choices
from app.notices.models import NoticeChoices
from app.wallet.accounts import wallet_of


def to_look_at(session: Session, *, after: str, limit: int, currency: str) -> tuple[list[str], str]:
    """Of the next `limit` customers those whose wallet crossed their level, and where to go on ("" at the end).

    Three statements, whatever the number of customers; nothing is locked.
    """
    found = list(session.scalars(select(Customer.id).where(Customer.id > after).order_by(Customer.id).limit(limit)))
    if not found:
        return [], ""
    balances = ledger.balances(session, [wallet_of(customer_id, currency) for customer_id in found])
    chosen = _choices(session, found)
    crossed = [
        account.customer_id
        for account, balance in balances.items()
        if _state(chosen.get(account.customer_id), balance.available) is not None
    ]
    return crossed, found[-1] if len(found) == limit else ""


def look(session: Session, customer_id: str, *, currency: str) -> bool:
    """Tell of this wallet if it crossed its level; whether it had. In one transaction, so that it is told once."""
    chosen = choices.row_of(session, customer_id)
    available = ledger.balance(session, wallet_of(customer_id, currency)).available
    state = _state(chosen, available)
    if state is None or chosen.low_micros is None:
        return False
    was, chosen.low_state = chosen.low_state, state
    facts = {"available_micros": available, "threshold_micros": chosen.low_micros}
    if state == "low":
        chosen.low_count += 1
        key = f"wallet_low:{chosen.low_count}"
        notices.tell(session, customer_id, "wallet_low", key=key, currency=currency, **facts)
    elif was == "low":
        key = f"wallet_recovered:{chosen.low_count}"
        notices.tell(session, customer_id, "wallet_recovered", key=key, currency=currency, **facts)
    session.flush()
    return True


def _state(chosen: NoticeChoices | None, available: int) -> str | None:
    """What the wallet has become: "above" or "low"; None where it is as it was."""
    level = chosen.low_micros if chosen is not None else choices.LOW_MICROS
    was = chosen.low_state if chosen is not None else "unknown"
    if level is None:
        return None
    now = "above" if available > level else "low"
    return None if now == was or (was == "unknown" and now == "low") else now


def _choices(session: Session, customer_ids: Iterable[str]) -> dict[str, NoticeChoices]:
    rows = session.scalars(select(NoticeChoices).where(NoticeChoices.customer_id.in_(list(customer_ids))))
    return {row.customer_id: row for row in rows}
