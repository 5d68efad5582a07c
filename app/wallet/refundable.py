"""What of a wallet's top-ups can go back to where it came from: paid, not spent, not held, not returned (SPEC W4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import clock, ledger
from app.ledger import Line
from app.money import micros_to_minor, minor_to_micros
from app.payments import returned
from app.wallet.accounts import wallet_of

WINDOW = timedelta(days=7)  # in which customers refund a top-up by themselves
# Paid money is spent oldest first. What staff gave takes its turn in that order, and never goes to a card.
_SOURCES = ("topup", "adjustment")
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class TopUp:
    """One top-up as it stands in the wallet, amounts in minor units before tax. `left_minor` can go back now."""

    entry_id: str
    channel: str
    payment_id: str
    order_id: str | None
    at: datetime
    paid_minor: int
    returned_minor: int
    left_minor: int

    @property
    def until(self) -> datetime:
        """Until when (that instant not included) its customer may ask for it without us."""
        return self.at + WINDOW

    @property
    def is_open(self) -> bool:
        return clock.now() < self.until


def top_ups(session: Session, customer_id: str, currency: str, *, since: datetime | None = None) -> Sequence[TopUp]:
    """The top-ups of which something is unspent, newest first; `since` leaves out older ones."""
    wallet = wallet_of(customer_id, currency)
    now = ledger.balance(session, wallet)
    # Promotional money is spent first (W1), so what is paid goes last; what is held is as good as spent.
    unspent = min(now.available, now.paid)
    found = []
    for line, back_minor in _sources(session, wallet, since):
        if unspent <= 0:
            break
        mine = min(unspent, max(0, line.amount - minor_to_micros(back_minor, currency)))
        unspent -= mine
        left = micros_to_minor(mine, currency)
        if left and (name := payment_of(line)):
            paid = micros_to_minor(line.amount, currency)
            order_id = line.data.get("order")
            found.append(TopUp(line.entry_id, *name, order_id, line.occurred_at, paid, back_minor, left))
    return found


def of_entry(session: Session, customer_id: str, currency: str, entry: ledger.Entry) -> TopUp | None:
    """One top-up by its entry; None where nothing of it is left in the wallet."""
    there = top_ups(session, customer_id, currency, since=entry.recorded_at)
    return next((one for one in there if one.entry_id == entry.id), None)


def payment_of(line: Line) -> returned.Name | None:
    """The payment a top-up came from: its channel, and what that calls it. None for what no provider paid."""
    data = line.data if line.kind == "topup" else {}
    return (data["channel"], data["payment"]) if "channel" in data and "payment" in data else None


def _sources(session: Session, wallet: ledger.Account, since: datetime | None) -> Iterator[tuple[Line, int]]:
    """Where paid money came from, newest first, each with what of its payment has gone back, in minor units."""
    before = None
    while True:
        lines = ledger.history(session, wallet, before=before, limit=_AT_ONCE, kinds=_SOURCES, since=since)
        names = [name for line in lines if (name := payment_of(line))]
        back = returned.returned_of(session, names) if names else {}
        for line in lines:
            if line.amount > 0:
                name = payment_of(line)
                yield line, back[name].total if name else 0
        if len(lines) < _AT_ONCE:
            return
        before = lines[-1].seq
