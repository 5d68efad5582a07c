"""Blocks: in which stretches of leg numbers each of the house's accounts moved, and by how much.

An index over the house's legs would be paid for by every debit. A worker counts them instead, a stretch of numbers at a
time: a page of an account's entries reads only the stretches it moved in, however rarely that was, and the sum of all
before them. The legs that are not counted yet are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import UTCDateTime
from app.ledger import marks

SIZE = 2_000  # leg numbers in a block
_NAME = "blocks"
_THIS = "l.seq IS NULL AND l.account = :account AND l.asset = :asset"
_MOST_RANGES = 60  # in one statement


@dataclass(frozen=True, slots=True)
class HouseLine:
    """One leg on a house account. `number` is the order of writing, and the paging cursor."""

    number: int
    customer_id: str
    entry_id: str
    kind: str
    amount: int
    recorded_at: datetime
    balance_after: int


def count_blocks(session: Session, limit: int = 200_000) -> int:
    """Count up to `limit` more legs into blocks, and say how many. For the worker, in a transaction of its own."""
    number = marks.number_column(session)
    done, final = marks.horizon(session, _NAME)
    upto = min(final, done + limit)
    if upto <= done:
        return 0
    sql = (
        "INSERT INTO ledger_block (account, asset, block, legs, amount, first, last) "
        f"SELECT l.account, l.asset, l.{number} / {SIZE}, count(*), sum(l.amount), min(l.{number}), max(l.{number}) "
        "FROM ledger_leg l "
        f"WHERE l.{number} > :done AND l.{number} <= :upto AND l.seq IS NULL GROUP BY 1, 2, 3 "
        "ON CONFLICT (account, asset, block) DO UPDATE SET legs = ledger_block.legs + excluded.legs, "
        "amount = ledger_block.amount + excluded.amount, last = excluded.last"
    )
    session.execute(text(sql), {"done": done, "upto": upto})
    marks.advance(session, _NAME, upto)
    return upto - done


def house_lines(
    session: Session, account: str, asset: str, *, before: int | None = None, limit: int = 50
) -> list[HouseLine]:
    """One house account's legs, newest first, below the number `before`, each with the account's sum after it."""
    whose = {"account": account, "asset": asset}
    done = marks.mark(session, _NAME)
    top = before if before is not None else 2**62
    found = _legs(session, whose, [(done + 1, top - 1)], limit) if top > done + 1 else []
    for ranges in _stretches(session, whose, min(top - 1, done), limit):
        if len(found) >= limit:
            break
        found += _legs(session, whose, ranges, limit - len(found))
    if not found:
        return []
    balance, lines = _sum_up_to(session, whose, found[0].number, done), []
    for leg in found:
        of = (leg.number, leg.customer_id, leg.entry_id, leg.kind, leg.amount, leg.recorded_at)
        lines.append(HouseLine(*of, balance_after=balance))
        balance -= leg.amount
    return lines


def _stretches(session: Session, whose: dict[str, str], top: int, limit: int) -> Iterator[list[tuple[int, int]]]:
    """Number ranges in which the account moved, from `top` down, as many at a time as surely hold `limit` legs."""
    below = top // SIZE + 1
    while True:
        blocks = session.execute(
            text(
                "SELECT block, legs, first, last FROM ledger_block "
                "WHERE account = :account AND asset = :asset AND block < :below ORDER BY block DESC LIMIT :most"
            ),
            {**whose, "below": below, "most": _MOST_RANGES},
        ).all()
        if not blocks:
            return
        ranges: list[tuple[int, int]] = []
        held = 0
        for block, legs, first, last in blocks:
            below = block
            if first <= top:
                high = ranges.pop()[1] if ranges and ranges[-1][0] - last <= SIZE else min(last, top)
                ranges.append((first, high))  # with the one above, where little lies between: each is searched for
                # The first block may lie partly above what is asked for, so what it holds is not counted on.
                held += legs if last <= top else 0
            if held >= limit:
                break
        if ranges:
            yield ranges


def _legs(session: Session, whose: dict[str, str], ranges: list[tuple[int, int]], limit: int) -> list[Any]:
    number = marks.number_column(session)
    columns = f"l.{number} AS number, l.customer_id, l.entry_id, l.kind, l.amount, l.recorded_at"
    if session.get_bind().dialect.name == "sqlite":
        # CROSS JOIN has SQLite look up each range by itself; given them beside each other it would rather walk all legs
        # there are, from the newest one down.
        values = ", ".join(f"({low}, {high})" for low, high in ranges)
        of = f"(VALUES {values}) ranges CROSS JOIN ledger_leg l"
        where = f"l.{number} BETWEEN ranges.column1 AND ranges.column2"
    else:
        # PostgreSQL the other way round: only of numbers that it is told does it know how few legs they are.
        of = "ledger_leg l"
        where = " OR ".join(f"l.{number} BETWEEN {low} AND {high}" for low, high in ranges)
    sql = f"SELECT {columns} FROM {of} WHERE ({where}) AND {_THIS} ORDER BY l.{number} DESC LIMIT :limit"
    typed = text(sql).columns(recorded_at=UTCDateTime)
    return list(session.execute(typed, {**whose, "limit": limit}))


def _sum_up_to(session: Session, whose: dict[str, str], last: int, done: int) -> int:
    """The account's sum with the leg of this number: whole blocks, and what comes after them, in one statement."""
    number = marks.number_column(session)
    counted = last > done  # what is not counted yet comes after all blocks, which may end within one
    first = done + 1 if counted else last // SIZE * SIZE
    blocks = "" if counted else f" AND block < {last // SIZE}"
    sql = (
        "SELECT coalesce((SELECT sum(amount) FROM ledger_block WHERE account = :account AND asset = :asset"
        f"{blocks}), 0) + coalesce((SELECT sum(l.amount) FROM ledger_leg l WHERE {_THIS} "
        f"AND l.{number} BETWEEN :first AND :last), 0)"
    )
    return int(session.scalar(text(sql), {**whose, "first": first, "last": last}) or 0)
