"""The sheet: what a batch of requests has read under lock, and what it is going to write.

`take` applies one request to the sheet or refuses it, in order, and a refused one leaves no mark. Nothing here speaks
to a database; `app.ledger.books_*` read the sheet in and write it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from app import ids
from app.errors import IdempotencyKeyReused, Invalid, NotFound
from app.ledger import chart, rules
from app.ledger.accounts import HOUSE, Account
from app.ledger.entries import AlreadyReversed, Entry, Hold, HoldEnded, Leg, fingerprint
from app.ledger.requests import Ending, Holding, Posting, Request, Settling, check_amount, check_legs
from app.ledger.rules import State

Key = tuple[str, str]
Result = Entry | Hold | tuple[Hold, Entry | None]


class SettlementTooLarge(Invalid):
    """A settlement may be at most twice its hold. Details: maximum, hold_id."""

    code = "SETTLEMENT_TOO_LARGE"


def settle_key(hold_id: str) -> str:
    """The key of the entry that settles a hold: a hold is settled once, whoever asks."""
    return f"settle:{hold_id}"


@dataclass(slots=True)
class Sheet:
    """Read: states by account, entries and holds by key, holds by id, reversals. To write: the new and the changed."""

    now: datetime
    states: dict[Account, State] = field(default_factory=dict)
    entries: dict[Key, Entry] = field(default_factory=dict)
    holds_by_key: dict[Key, Hold] = field(default_factory=dict)
    holds: dict[Key, Hold] = field(default_factory=dict)
    reversals: dict[Key, str] = field(default_factory=dict)
    new_entries: list[Entry] = field(default_factory=list)
    new_holds: dict[str, Hold] = field(default_factory=dict)
    changed_holds: list[Hold] = field(default_factory=list)  # raised or ended, in order

    def take(self, request: Request) -> Result:
        """Apply one request. Raises a Refusal, or ChartViolation, and then nothing has changed."""
        if isinstance(request, Posting):
            return self._post(request)
        if isinstance(request, Holding):
            return self._hold(request)
        if isinstance(request, Settling):
            return self._settle(request)
        return self._end(request)

    def dirty(self) -> list[State]:
        """The accounts to write, in the order everybody locks them."""
        changed = [state for state in self.states.values() if state.dirty]
        return sorted(changed, key=lambda state: state.account) if len(changed) > 1 else changed

    def _post(self, wanted: Posting, unhold: int = 0) -> Entry:
        known = self.entries.get((wanted.customer_id, wanted.key))
        if known is not None:
            if known.request_hash != wanted.hash:
                raise IdempotencyKeyReused("This key was used for something else.", key=wanted.key, entry_id=known.id)
            return replace(known, replayed=True)
        if wanted.reverses is not None:
            self._check_unreversed(wanted.customer_id, wanted.reverses)
        rule = chart.ENTRY_KINDS[wanted.kind]
        changes: list[tuple[State, rules.Change]] = []
        for account, amount in wanted.legs.items():
            if account.customer_id != HOUSE:
                state = self.states[account]
                back = wanted.promo_back.get(account, 0) if wanted.reverses else None
                changes.append((state, rules.movement(state, rule, amount, promo_back=back, unhold=unhold)))
        return self._write_entry(wanted, changes)

    def _write_entry(self, wanted: Posting, changes: list[tuple[State, rules.Change]]) -> Entry:
        recorded = self.now
        moved: dict[Account, Leg] = {}
        for state, _ in changes:
            # Times never run backwards along one account's history, whatever the clocks of several machines say.
            if state.moved_at is not None and state.moved_at > recorded:
                recorded = state.moved_at
        for state, change in changes:
            amount, promo = wanted.legs[state.account], change.promo - state.promo
            rules.commit_change(state, change)
            kind_seq = rules.tally(state, wanted.kind, amount)
            state.moved_at = recorded
            moved[state.account] = Leg(state.account, amount, promo, state.version, kind_seq, state.balance)
        legs = tuple(moved.get(account) or Leg(account, amount) for account, amount in wanted.legs.items())
        entry = Entry(
            wanted.id, wanted.customer_id, wanted.kind, wanted.key, wanted.hash,
            wanted.occurred_at or recorded, recorded, wanted.data, legs, wanted.reverses,
        )  # fmt: skip
        self.entries[wanted.customer_id, wanted.key] = entry
        if wanted.reverses is not None:
            self.reversals[wanted.customer_id, wanted.reverses] = entry.id
        self.new_entries.append(entry)
        return entry

    def _check_unreversed(self, customer_id: str, entry_id: str) -> None:
        by = self.reversals.get((customer_id, entry_id))
        if by is not None:
            raise AlreadyReversed("This entry has been reversed already.", entry_id=entry_id, reversed_by=by)

    def _hold(self, wanted: Holding) -> Hold:
        customer_id = wanted.account.customer_id
        known = self.holds_by_key.get((customer_id, wanted.key))
        if known is not None:
            if known.request_hash != wanted.hash:
                raise IdempotencyKeyReused("This key was used for something else.", key=wanted.key, hold_id=known.id)
            known = self.holds.get((customer_id, known.id), known)
            return self._raised(known, wanted.amount) if wanted.raises else replace(known, replayed=True)
        if wanted.expires_at <= self.now:
            raise Invalid("A hold ends in the future.", field="expires_in")
        rules.set_aside(self.states[wanted.account], wanted.amount)
        hold = Hold(
            wanted.id, wanted.account, wanted.amount, "held", wanted.key, wanted.hash,
            self.now, wanted.expires_at, wanted.data,
        )  # fmt: skip
        self.new_holds[hold.id] = self.holds[customer_id, hold.id] = self.holds_by_key[customer_id, hold.key] = hold
        return hold

    def _raised(self, hold: Hold, by: int) -> Hold:
        if hold.state != "held":
            raise _over(hold)
        check_amount(hold.amount + by)
        rules.set_aside(self.states[hold.account], by)
        return self._changed(replace(hold, amount=hold.amount + by))

    def _settle(self, wanted: Settling) -> tuple[Hold, Entry | None]:
        hold = self._known_hold(wanted.customer_id, wanted.hold_id)
        ask = Posting(
            wanted.customer_id,
            wanted.kind,
            settle_key(hold.id),
            {hold.account: -wanted.amount, **wanted.to},
            wanted.data,
        )
        ask.hash = fingerprint(ask.kind, ask.legs, ask.data, "settle")
        if hold.state != "held":
            return self._settled_before(hold, wanted.amount, ask)
        if wanted.amount > 2 * hold.amount:
            raise SettlementTooLarge(
                "A hold can be settled for at most twice its amount.",
                field="amount", maximum=2 * hold.amount, hold_id=hold.id,
            )  # fmt: skip
        if wanted.amount == 0:
            rules.give_back(self.states[hold.account], hold.amount)
            return self._ended(hold, "settled", 0, None), None
        check_legs(ask)
        ask.id = ids.new("wtxn")
        entry = self._post(ask, unhold=hold.amount)
        return self._ended(hold, "settled", wanted.amount, entry.id), entry

    def _settled_before(self, hold: Hold, amount: int, ask: Posting) -> tuple[Hold, Entry | None]:
        entry = self.entries.get((hold.customer_id, ask.key))
        same = entry is None or entry.request_hash == ask.hash
        if hold.state == "settled" and hold.settled_amount == amount and same:
            return replace(hold, replayed=True), replace(entry, replayed=True) if entry else None
        raise _over(hold)

    def _end(self, wanted: Ending) -> Hold:
        hold = self._known_hold(wanted.customer_id, wanted.hold_id)
        if hold.state == "settled":
            raise _over(hold)
        if hold.state != "held" or (wanted.state == "expired" and hold.expires_at > (wanted.at or self.now)):
            return replace(hold, replayed=True)
        rules.give_back(self.states[hold.account], hold.amount)
        return self._ended(hold, wanted.state, None, None)

    def _known_hold(self, customer_id: str, hold_id: str) -> Hold:
        hold = self.holds.get((customer_id, hold_id))
        if hold is None:
            raise NotFound("There is no such hold.", hold_id=hold_id)
        return hold

    def _ended(self, hold: Hold, state: str, amount: int | None, entry_id: str | None) -> Hold:
        ended = replace(hold, state=state, ended_at=self.now, settled_amount=amount, settled_entry=entry_id)
        return self._changed(ended)

    def _changed(self, hold: Hold) -> Hold:
        self.holds[hold.customer_id, hold.id] = hold
        if hold.id in self.new_holds:  # made and changed within one batch: written once, in its final state
            self.new_holds[hold.id] = hold
        else:
            self.changed_holds.append(hold)
        return hold


def _over(hold: Hold) -> HoldEnded:
    return HoldEnded(f"This hold is already {hold.state}.", hold_id=hold.id, state=hold.state)
