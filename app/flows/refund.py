"""Paying money back through a provider: set aside first, then asked, then written down (SPEC W4, R4).

What is paid back is written and set aside in the books before the provider is asked, under the refund's own id as key.
A crash at any point leaves a refund that is taken up again: where it may have been asked for before, the provider's
list of refunds is read first, and only what is not in it is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.flows import mirrored, refund_outcome
from app.flows.charge_card import SURE_FOR
from app.invoices import Invoice
from app.money import Money
from app.payments import refunds, returned
from app.payments.refund_table import Refund
from app.providers import port
from app.providers.billing import InvoiceDoc
from app.providers.errors import Declined, InvalidRequest, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, RefundResult

log = logging.getLogger(__name__)

Providers = Mapping[str, Provider]
_REFUSED = "The payment provider refused it."


@dataclass(frozen=True, slots=True)
class Asked:
    """A refund in plain values: reading the row after a commit would open a transaction around the network call.

    `provider_invoice` is the provider's document that it corrects, if there is one. `others_minor` is what its payment
    gave back otherwise, as far as we know.
    """

    id: str
    customer_id: str
    state: str
    channel: str
    payment_id: str
    amount: Money
    provider_invoice: str | None
    attempt: int
    since: datetime
    provider_refund_id: str | None
    others_minor: int


def carry_out(session: Session, providers: Providers, refund_ids: Sequence[str]) -> None:
    """Ask for these for the first time, one after the other; nothing is raised.

    What is not answered is asked for again by a worker, and what a worker has taken meanwhile is left to it.
    """
    for refund_id in refund_ids:
        go_on(session, providers, refund_id, is_first=True)


def continue_due(session_factory: Callable[[], Session], providers: Providers, limit: int = 20) -> int:
    """For the worker: go on with what a crash, or a provider that was away, left undone; how many were looked at."""
    with session_factory() as session:
        for done in range(limit):
            with transaction(session):  # one at a time, for a lease must outlast the waiting for its own answer alone
                chosen = [refund.id for refund in refunds.due(session, 1)]
            if not chosen:
                return done
            go_on(session, providers, *chosen)
        return limit


def go_on(session: Session, providers: Providers, refund_id: str, *, is_first: bool = False) -> None:
    """Bring one refund as far as it goes now. Doing it again does no harm.

    Two at once would, where a provider knows no keys: whoever has not taken it from `refunds.due` is the first or none.
    """
    with transaction(session):
        asked = _begin(session, providers, refund_id, is_first=is_first)
    provider = providers.get(asked.channel) if asked is not None else None
    if asked is None or provider is None:
        return  # it is done, or its provider is not set up here just now: a worker looks again
    try:
        result = _result(provider, asked)
    except (Declined, InvalidRequest) as no:
        log.warning("%s refuses refund %s: %s (%s)", provider.name, asked.id, no, no.request_id)
        _write(session, asked, lambda refund: refund_outcome.fail(session, refund, _REFUSED, actor=provider.name))
        return
    except ProviderError as error:
        log.warning("%s did not answer about refund %s: %s", provider.name, asked.id, error)
        _write(session, asked, lambda refund: refunds.later(session, refund))
        return
    if result is None:
        _write(session, asked, lambda refund: refunds.later(session, refund))
        return
    record(session, provider, asked, result)


def record(session: Session, provider: Provider, asked: Asked, result: RefundResult) -> None:
    """Write down what the provider answered, and its document as it is now."""
    at, doc = clock.now(), _document(provider, asked)

    def write(refund: Refund) -> None:
        _mirror(session, asked, doc, at)
        refund_outcome.take(session, refund, result, actor=provider.name)

    _write(session, asked, write)


def _begin(session: Session, providers: Providers, refund_id: str, *, is_first: bool) -> Asked | None:
    """The refund, counted as asked for, before anybody is asked; None for one that is not asked for now."""
    refund = _due(session, providers, refund_id, is_first=is_first)
    if refund is None:
        return None
    assert refund.channel is not None, "only what goes to a provider is asked for"
    assert refund.payment_id is not None
    known = returned.find(session, refund.channel, refund.payment_id)
    told = refunds.told_minor(session, refund.channel, refund.payment_id, but=refund.id)
    provider_invoice = known.invoice_id if known else None
    if refund.invoice_id is not None and known is None:
        invoice = session.get(Invoice, (refund.customer_id, refund.invoice_id))
        provider_invoice = invoice.provider_id if invoice else None
    asked = Asked(
        refund.id,
        refund.customer_id,
        refund.state,
        refund.channel,
        refund.payment_id,
        Money(refund.amount_minor, refund.currency),
        provider_invoice,
        refund.attempt,
        refund.created_at,
        refund.provider_refund_id,
        told,
    )
    refund.attempt += 1
    refund.next_try_at = clock.now() + refunds.LEASE
    session.flush()
    return asked


def _due(session: Session, providers: Providers, refund_id: str, *, is_first: bool) -> Refund | None:
    """The refund, locked after its payment; None for one that is done or another is asking for.

    None, too, while another of its payment is unanswered by a provider that takes no keys: by sums alone nobody could
    tell later which of the two was made.
    """
    refund = refunds.find(session, refund_id)
    if refund is not None and refund.channel is not None and refund.payment_id is not None:
        returned.locked(session, refund.channel, refund.payment_id)  # of two that begin at once one sees the other
        refund = refunds.find(session, refund_id, lock=True)
    if refund is None or refund.state not in ("reserved", "sent") or (is_first and refund.attempt):
        return None
    provider = providers.get(refund.channel or "")
    knows_keys = provider is None or Cap.IDEMPOTENCY_KEYS in provider.capabilities
    if not knows_keys and not refund.attempt and refunds.is_another_unanswered(session, refund):
        refunds.later(session, refund)
        return None
    return refund


def _result(provider: Provider, asked: Asked) -> RefundResult | None:
    """What became of it. None while only time can tell. Raises ProviderError."""
    role = port.refunds_of(provider)
    by_id = Cap.IDEMPOTENCY_KEYS in provider.capabilities
    is_sure = by_id and clock.now() - asked.since < SURE_FOR  # the same key is answered with what it made
    if asked.state == "sent" or (asked.attempt and not is_sure):
        found = _among(role.list_refunds(asked.payment_id), asked, by_id=by_id)
        if found is not None or asked.state == "sent":
            return found
    return role.refund(
        payment_id=asked.payment_id,
        amount=asked.amount,
        reason="requested_by_customer",
        our_refund_id=asked.id,
        key=asked.id,
        invoice_id=asked.provider_invoice,
    )


def _among(made: Sequence[RefundResult], asked: Asked, *, by_id: bool) -> RefundResult | None:
    """This refund in the provider's list: by our id in it, else by what it says went back beyond all we know of."""
    for each in made:
        if asked.id == each.our_refund_id or (each.refund_id and each.refund_id == asked.provider_refund_id):
            return each
    if by_id or any(each.our_refund_id for each in made):
        return None
    went = sum(each.amount.minor for each in made if each.status in ("pending", "succeeded"))
    if went - asked.others_minor < asked.amount.minor:
        return None
    last = made[-1]
    return RefundResult(None, last.status, asked.amount, asked.id)


def _document(provider: Provider, asked: Asked) -> InvoiceDoc | None:
    """The invoice it corrects, with the credit note that came of it. Its own news bring it too, so None is no harm."""
    if asked.provider_invoice is None or Cap.INVOICES not in provider.capabilities:
        return None
    try:
        return port.invoices_of(provider).get_invoice(asked.provider_invoice)
    except ProviderError as error:
        log.warning("%s did not show invoice %s: %s", provider.name, asked.provider_invoice, error)
        return None


def _mirror(session: Session, asked: Asked, doc: InvoiceDoc | None, at: datetime) -> None:
    if doc is not None:
        mirrored.take_in(session, asked.channel, doc, customer_id=asked.customer_id, subscription=None, at=at)


def _write(session: Session, asked: Asked, write: Callable[[Refund], object]) -> None:
    """In one transaction, with payment and refund locked, in the order in which everybody locks them."""
    with transaction(session):
        returned.locked(session, asked.channel, asked.payment_id)
        refund = refunds.find(session, asked.id, lock=True)
        assert refund is not None, "refunds are never deleted"
        write(refund)
