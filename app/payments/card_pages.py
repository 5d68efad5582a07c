"""Pages on which customers save a card with the provider: opening one, and taking in what became of it (SPEC P12)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Invalid, NotFound
from app.payments.models import CARD_PAGE_STATES, CardPage
from app.providers.values import CheckoutSession

PREFIX = "card"
_LONGEST_KEY = 200


def is_card_page(reference: str | None) -> bool:
    """Whether this reference of a provider's event is such a page's, and not an order's."""
    return reference is not None and reference.startswith(PREFIX + "_")


def open_page(session: Session, *, customer_id: str, channel: str, form_key: str, created_by: str) -> CardPage:
    """The page of this form: made now, or the one made before. Raises Invalid for a form key we cannot store."""
    if not 1 <= len(form_key) <= _LONGEST_KEY or not form_key.isprintable():
        raise Invalid("This form is incomplete. Open the page again.", field="form_key")
    now = clock.now()
    row = {
        "customer_id": customer_id,
        "id": ids.new(PREFIX),
        "channel": channel,
        "state": "pending",
        "form_key": form_key,
        "attempt": 1,
        "created_by": created_by,
        "created_at": now,
        "updated_at": now,
    }
    session.execute(insert(CardPage).values(row).on_conflict_do_nothing(index_elements=["customer_id", "form_key"]))
    mine = CardPage.customer_id == customer_id, CardPage.form_key == form_key
    return session.scalars(select(CardPage).where(*mine)).one()


def one(session: Session, customer_id: str, page_id: str) -> CardPage:
    """One page of this customer. Raises NotFound, the same for another customer's."""
    found = session.get(CardPage, (customer_id, page_id))
    if found is None:
        raise NotFound("There is no such page.")
    return found


def find(session: Session, page_id: str, *, lock: bool = False) -> CardPage | None:
    """A page by its id alone, as providers name it."""
    query = select(CardPage).where(CardPage.id == page_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def key_of(page: CardPage) -> str:
    """The idempotency key of the call that makes it."""
    return f"{page.id}:{page.attempt}"


def sent(session: Session, page: CardPage, made: CheckoutSession) -> None:
    """The provider made it. News about it may have come before this answer: they stay."""
    session.refresh(page, with_for_update=True)
    page.provider_ref = made.id
    if _move(page, "open"):
        page.url = made.url
    session.flush()


def refused(session: Session, page: CardPage) -> None:
    """The provider turned the request down for good: the next try is a new attempt, under a new key."""
    session.refresh(page, with_for_update=True)
    page.attempt += 1
    session.flush()


def saved(session: Session, page: CardPage, card_id: str) -> None:
    """The card is there and is the default. Told twice, it stays as it was."""
    if _move(page, "saved"):
        page.card_id = card_id
        session.flush()
        activity.record(session, page.channel, "card.saved", page.id, customer_id=page.customer_id, card=card_id)


def expired(session: Session, page: CardPage) -> bool:
    """Nobody entered a card in time. Whether that is new."""
    moved = _move(page, "expired")
    session.flush()
    return moved


def _move(page: CardPage, state: str) -> bool:
    """Bring it forward, never backwards."""
    if CARD_PAGE_STATES.index(state) <= CARD_PAGE_STATES.index(page.state):
        return False
    page.state, page.url, page.updated_at = state, None, clock.now()
    return True
