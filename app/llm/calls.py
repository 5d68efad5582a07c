"""A call to a model, from the hold before it to the settlement after it, each once (SPEC L1, L3).

What is set aside is a bound of what the call can cost, so settling takes less, and the rest returns. Amounts in micros.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, ids, ledger
from app.errors import Conflict, IdempotencyKeyReused, WalletFrozen
from app.ledger import Account, HoldEnded
from app.llm import days
from app.llm.models import LlmCall
from app.llm.refusals import WalletEmpty
from app.wallet.accounts import revenue, upstream_cost, wallet_of

log = logging.getLogger(__name__)

Bound = Callable[[int], int]  # what a call can cost at most, by how many tokens are answered at most


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be called, and by whom. `key`: the caller's Idempotency-Key, if there was one; `output`: the most
    tokens to be answered."""

    upstream: str
    model: str
    stream: bool
    key_id: str
    key: str | None
    request_hash: str
    output: int
    price_version: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A call whose money is held. `output` may be less than what was asked for, where the wallet pays no more."""

    customer_id: str
    id: str
    held_micros: int
    output: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a call used, and what the upstream takes for it. `counted`: by our own count, as none was told."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_micros: int
    counted: bool = False
    upstream_request_id: str | None = None


def open_call(
    session: Session, customer_id: str, ask: Ask, bound: Bound, *, lives: timedelta, currency: str = "usd"
) -> Opened:
    """Set aside what the call can cost, and write it down: in one transaction, before a byte goes upstream.

    A wallet that covers the input and some of the output gets a shorter answer. Raises WalletEmpty, WalletFrozen; and
    for a key that came before Conflict, with the call's id, or IdempotencyKeyReused.
    """
    wallet, now, call_id = wallet_of(customer_id, currency), clock.now(), ids.new("llm")
    stands = ledger.lock_account(session, wallet)  # from here on this customer's calls come one by one
    _refuse_a_known_key(session, customer_id, ask)
    # A frozen wallet is refused by the hold, which says so: that it is short as well is not what helps.
    output = ask.output if stands.frozen else affordable(ask.output, bound, stands.available)
    held = ledger.hold(
        session,
        wallet,
        max(1, bound(output)),
        key=f"llm:{call_id}",
        expires_at=now + lives,
        data={"description": f"Model call: {ask.model}", "by": ask.key_id, "call": call_id},
    )
    session.add(
        LlmCall(
            customer_id=customer_id, id=call_id, hold_id=held.id, key_id=ask.key_id, key=ask.key,
            request_hash=ask.request_hash, upstream=ask.upstream, model=ask.model, stream=ask.stream, state="held",
            held_micros=held.amount, prompt_tokens=0, completion_tokens=0, cached_tokens=0, counted=False,
            cost_micros=0, price_version=ask.price_version, started_at=now, expires_at=held.expires_at,
        )
    )  # fmt: skip
    session.flush()
    return Opened(customer_id, call_id, held.amount, output, held.expires_at)


def affordable(output: int, bound: Bound, available: int) -> int:
    """The most tokens, up to `output` and at least one, that can be paid. Raises WalletEmpty where there is none."""
    if bound(output) <= available and available > 0:
        return output
    if max(1, bound(1)) > available:
        raise WalletEmpty(available, max(1, bound(1)))
    enough, too_many = 1, output
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        if bound(middle) <= available:
            enough = middle
        else:
            too_many = middle
    return enough


def settle(
    session: Session, customer_id: str, call_id: str, told: Told, *, markup_micros: int = 0, currency: str = "usd"
) -> LlmCall:
    """Take what the call cost, with the call's row and the day's sums, in the caller's transaction. Twice is once.

    A call that took longer than its hold lived is paid from what is available, as far as that goes; a frozen wallet
    pays nothing then.
    """
    call = _locked(session, customer_id, call_id)
    if call.state in ("settled", "released"):
        return call
    charge = min(told.cost_micros + markup_micros, 2 * call.held_micros)
    if charge > call.held_micros:
        log.error("model call %s cost %s micros and %s were held", call_id, charge, call.held_micros)
    entry = _take(session, call, charge, told, currency)
    call.state, call.outcome = "settled", "billed"
    call.prompt_tokens, call.completion_tokens = told.prompt_tokens, told.completion_tokens
    call.cached_tokens, call.counted = told.cached_tokens, told.counted
    call.upstream_request_id = (told.upstream_request_id or "")[:200] or None
    call.cost_micros = -entry.leg(wallet_of(customer_id, currency)).amount if entry else 0
    call.entry_id, call.ended_at = (entry.id, entry.occurred_at) if entry else (None, clock.now())
    session.flush()
    days.add(session, call)
    return call


def release(
    session: Session, customer_id: str, call_id: str, *, outcome: str, upstream_request_id: str | None = None
) -> LlmCall:
    """End a call that costs nothing: `released` where the upstream failed, `error` where we did. Twice is once."""
    call = _locked(session, customer_id, call_id)
    if call.state == "held":
        ledger.release(session, customer_id, call.hold_id)
        _end(call, "released", outcome)
        call.upstream_request_id = (upstream_request_id or "")[:200] or None
        session.flush()
    return call


def abandon_overdue(session: Session, now: datetime, limit: int) -> int:
    """End up to `limit` calls that nobody ended in time; how many. Their money returns: what they used is not known."""
    c = LlmCall
    overdue = (
        select(c)
        .where(c.state == "held", c.expires_at <= now)
        .order_by(c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = sorted(session.scalars(overdue), key=lambda call: (call.customer_id, call.id))
    for call in found:  # in the order in which everybody locks accounts
        ledger.release(session, call.customer_id, call.hold_id)
        _end(call, "expired", "abandoned")
    session.flush()
    return len(found)


def _refuse_a_known_key(session: Session, customer_id: str, ask: Ask) -> None:
    """One call per key: a stream cannot be given again, and another call would cost again (SPEC R5)."""
    if ask.key is None:
        return
    known = session.scalars(select(LlmCall).filter_by(customer_id=customer_id, key=ask.key)).one_or_none()
    if known is None:
        return
    if known.request_hash != ask.request_hash:
        raise IdempotencyKeyReused("This Idempotency-Key came before with another request.", call_id=known.id)
    sentence = "is still at work" if known.state == "held" else "has been answered and paid"
    raise Conflict(f"The call with this Idempotency-Key {sentence}.", call_id=known.id)


def _locked(session: Session, customer_id: str, call_id: str) -> LlmCall:
    mine = select(LlmCall).filter_by(customer_id=customer_id, id=call_id)
    return session.scalars(mine.with_for_update().execution_options(populate_existing=True)).one()


def _take(session: Session, call: LlmCall, charge: int, told: Told, currency: str) -> ledger.Entry | None:
    data = _data(call, told)
    try:
        to = _shares(charge, told.cost_micros, currency)
        return ledger.settle(session, call.customer_id, call.hold_id, charge, kind="llm", to=to, data=data)[1]
    except HoldEnded:
        log.warning("model call %s ended after its hold had", call.id)
    wallet = wallet_of(call.customer_id, currency)
    charge = min(charge, max(0, ledger.lock_account(session, wallet).available))
    if charge == 0:
        return None
    legs = {wallet: -charge, **_shares(charge, told.cost_micros, currency)}
    try:
        return ledger.post(session, "llm", legs, customer_id=call.customer_id, key=f"llm-late:{call.id}", data=data)
    except WalletFrozen:
        log.warning("model call %s ended after its hold had, and its wallet is frozen: nobody pays it", call.id)
        return None


def _shares(charge: int, cost: int, currency: str) -> Mapping[Account, int]:
    """Who gets the charge: what the upstream takes, and the house the rest."""
    cost = min(cost, charge)
    parts = {upstream_cost(currency): cost, revenue(currency): charge - cost}
    return {account: amount for account, amount in parts.items() if amount}


def _data(call: LlmCall, told: Told) -> dict[str, Any]:
    return {
        "description": f"Model call: {call.model}",
        "model": call.model,
        "prompt_tokens": told.prompt_tokens,
        "completion_tokens": told.completion_tokens,
        "cached_tokens": told.cached_tokens,
        "provider_cost_micros": told.cost_micros,
        "call": call.id,
        "by": call.key_id,
        "price_version": call.price_version,
    }


def _end(call: LlmCall, state: str, outcome: str) -> None:
    call.state, call.outcome, call.ended_at = state, outcome, clock.now()
    call.key = None  # nothing was paid, so the same key may try again
