"""How saving a card stands, in words; the same pieces as a top-up that is waited for."""

from __future__ import annotations

from flask import url_for

from app.payments.models import CardPage
from app.web.waiting import LATER, SOON, Action, Status, pace, placed


def of(page: CardPage, *, may_pay: bool, left: bool = False) -> Status:
    """The state of a page. `left`: the reader came back without saving a card."""
    words = _left(page) if left and page.state in ("pending", "open") else _WORDS[page.state](page)
    where = {"partial": "payment_methods.status", "page": "payment_methods.waiting", "page_id": page.id}
    return placed(words, page.state, may_pay=may_pay, left=left, **where)


def _saved(_page: CardPage) -> Status:
    text = "It is the default now: what comes due is charged to it, and a payment that had failed is tried again."
    return Status("Done", "ok", "pos", "Your card is saved", text, [], [_back("See the cards")])


def _waiting(page: CardPage) -> Status:
    often = pace(page.updated_at)
    text = "This usually takes a few seconds." if often == SOON else "This takes longer than usual."
    return Status(
        "Waiting",
        "clock",
        "warn",
        "Waiting for your card to be confirmed",
        f"{text} You may leave this page: the card is saved all the same.",
        [],
        poll_seconds=often,
    )


def _left(page: CardPage) -> Status:
    going_on = [Action("Go on and add the card", page.url, pays=True)] if page.url else []
    text = "No card was saved, and nothing was changed."
    actions = [*going_on, _back("Back to payment methods")]
    return Status("Open", "clock", "warn", "You left the page", text, [], actions, poll_seconds=LATER)


def _expired(_page: CardPage) -> Status:
    text = "It was open for too long. No card was saved."
    return Status("Expired", "void", "", "The page has closed", text, [], [_back("Back to payment methods")])


def _back(label: str) -> Action:
    return Action(label, url_for("payment_methods.show"))


_WORDS = {"pending": _waiting, "open": _waiting, "expired": _expired, "saved": _saved}
