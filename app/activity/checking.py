"""Checking the chain: a sentence for every line that is not what was sealed, is gone, or came in behind the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ids
from app.activity import chain
from app.activity.models import Activity, Check, Seal

AT_ONCE = 1000
MOST = 100  # sentences: a torn chain is torn in many places, and nobody reads a million lines
_NAME = "chain"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# A line is sealed within a minute of its commit, and no transaction of ours lasts longer than minutes.
_LATE = timedelta(hours=1)


@dataclass
class Checked:
    """How far a check has come: `sealed` lines, the `head` they end in, and its faults, of which `MOST` are worded."""

    sealed: int = 0
    head: str = chain.NOTHING_BEFORE
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0
    kept: bool | None = None  # whether the head that somebody kept elsewhere is in it; None while not come to
    instead: str = ""  # the hash this seal would have, where it has another
    newest: datetime = _LONG_AGO

    @property
    def holds(self) -> bool:
        return not self.fault_count

    def fault(self, sentence: str) -> None:
        self.fault_count += 1
        if len(self.faults) < MOST:
            self.faults.append(sentence)


def step(session: Session, checked: Checked, *, real_time: bool, kept: tuple[int, str] | None = None) -> bool:
    """Check the next thousand seals; whether there may be more. Reads, and changes nothing but `checked`.

    `real_time` says that this clock is never moved: then a line must not tell of a time before it was made. `kept` is a
    number and hash that was printed earlier.
    """
    if checked.sealed == 0:
        _nothing_stands_before(session, checked)
    rows = session.execute(_SEALS.where(Seal.number > checked.sealed)).all()
    for row in rows:
        _follows(checked, row)
        _stands(checked, row, real_time=real_time)
        if kept and kept[0] == row.number:
            checked.kept = _same(kept[1], row.hash)
    return len(rows) == AT_ONCE


def end(checked: Checked, kept: tuple[int, str] | None = None) -> None:
    """What can be said only at the end: whether the head that was kept elsewhere is still there."""
    if kept and not checked.kept:
        checked.fault(f"Seal {kept[0]} does not have the hash that was kept: the log was rewritten up to there or cut.")


def keep(session: Session, checked: Checked, *, by: str) -> None:
    """Keep what a check of the whole chain found, in place of what the last one did."""
    row = {
        "name": _NAME,
        "at": clock.now(),
        "by": by,
        "sealed": checked.sealed,
        "head": checked.head,
        "faults": checked.faults,
        "fault_count": checked.fault_count,
    }
    told = insert(Check).values(row)
    others = {name: value for name, value in row.items() if name != "name"}
    session.execute(told.on_conflict_do_update(index_elements=["name"], set_=others))


def last(session: Session) -> Check | None:
    """What the last check of the whole chain found; None before the first."""
    return session.get(Check, _NAME, populate_existing=True)


def hash_of(session: Session, number: int) -> str:
    """The hash of one seal; of one that is gone, what none has."""
    return session.scalar(select(Seal.hash).where(Seal.number == number)) or ""


def is_due(session: Session, every: timedelta) -> bool:
    """Whether the last check, or the first seal where there was none yet, is as long ago."""
    before = session.scalar(select(Check.at).where(Check.name == _NAME))
    since = before or session.scalar(select(Seal.sealed_at).order_by(Seal.number).limit(1))
    return since is not None and clock.now() - since >= every


_SEALS = (
    select(
        *(Seal.number, Seal.customer_id, Seal.activity_id, Seal.line_hash, Seal.sealed_at, Seal.hash),
        *(Activity.id, Activity.at, Activity.actor, Activity.action, Activity.subject, Activity.details),
    )
    .outerjoin(Activity, and_(Seal.customer_id == Activity.customer_id, Seal.activity_id == Activity.id))
    .order_by(Seal.number)
    .limit(AT_ONCE)
)


def _nothing_stands_before(session: Session, checked: Checked) -> None:
    """A seal with a number below 1 is followed by none: its line would neither be sealed nor ever be looked at."""
    for seal in session.execute(_SEALS.where(Seal.number < 1)).all():
        line = f"line {seal.activity_id} of {seal.customer_id} was kept out of it"
        checked.fault(f"Seal {seal.number} stands outside of the chain: {line}.")


def _follows(checked: Checked, seal: Any) -> None:
    """The number is the next, and the hash follows from the one before."""
    told, previous, instead = clock.timestamp(seal.sealed_at), checked.head, checked.instead
    expected = checked.sealed + 1
    if seal.number != expected:
        gone = f"Seal {expected} is" if seal.number == expected + 1 else f"Seals {expected} to {seal.number - 1} are"
        checked.fault(f"{gone} missing from the chain.")
        instead = ""
    ours = chain.link(previous, seal.number, told, seal.line_hash)
    # After a seal that was changed, the next one still follows from what that was before.
    follows = _same(seal.hash, ours) or (
        instead != "" and _same(seal.hash, chain.link(instead, seal.number, told, seal.line_hash))
    )
    if not follows and seal.number == expected:
        checked.fault(f"Seal {seal.number} does not follow from the one before it: the chain was broken or rewritten.")
    checked.sealed, checked.head = seal.number, seal.hash
    checked.instead = "" if follows else ours


def _stands(checked: Checked, line: Any, *, real_time: bool) -> None:
    """The line is there, is what was sealed, and was not put in later under an earlier date."""
    if line.id is None:
        checked.fault(f"Line {line.activity_id} of {line.customer_id}, sealed as number {line.number}, is missing.")
        return
    name = f"Line {line.id} ({line.action} of {line.customer_id}, {clock.timestamp(line.at)})"
    if not _same(chain.line_hash(line), line.line_hash):
        checked.fault(f"{name} is not what was sealed as number {line.number}: it was changed or exchanged.")
        return
    made = ids.made_at(line.id)
    if made is None:
        checked.fault(f"{name} has an id that Purser does not make: it was inserted from outside.")
        return
    if made < checked.newest - _LATE:
        checked.fault(f"{name} came in behind lines that were sealed long after its time: it was inserted later.")
    elif real_time and line.at < made - _LATE:
        checked.fault(f"{name} tells of a time before it was made: it was inserted later.")
    checked.newest = max(checked.newest, made)


def _same(ours: str, theirs: str) -> bool:
    # As bytes: what somebody else wrote into a seal need not be ASCII.
    return compare_digest(ours.encode(), theirs.encode())
