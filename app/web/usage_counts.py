"""Fixed limits beside the meters: how many of something the plan allows, and how many there are (SPEC U5)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from app.entitlements import resources, team
from app.http.filters import number
from app.http.pricing_table import spoken
from app.subscriptions.standing import Standing
from app.web.usage_bar import bar
from app.web.usage_rows import MeterRow, Tag

SEATS_FULL = "A fixed limit. Remove someone or upgrade to add more."
FULL = "A fixed limit. Remove one or upgrade to add more."


def rows_of(session: Session, standing: Standing) -> list[MeterRow]:
    """A row for each count the plan limits; what it allows without a limit needs none. Two SELECTs at most."""
    limits = standing.plan.limits if standing.plan else ()
    counts = {limit.key: limit.amount for limit in limits if limit.kind == "count" and limit.amount is not None}
    if not counts:
        return []
    used = resources.in_use(session, standing.customer_id)
    if team.SEATS in counts:
        used[team.SEATS] = team.in_use(session, standing.customer_id)
    return [_row(key, used.get(key, 0), limit) for key, limit in counts.items()]


def _row(key: str, used: int, limit: int) -> MeterRow:
    if used > limit:
        tag = Tag(f"{number(used - limit)} more than the plan allows", "alert", "warn")
    elif used == limit:
        tag = Tag("All used", "lock")
    else:
        tag = Tag(f"{number(limit - used)} left", "ok")
    full = SEATS_FULL if key == team.SEATS else FULL
    return MeterRow(
        name=spoken(key),
        tag=tag,
        bar=replace(bar(used, limit, used), tone="fill"),
        used=number(used),
        allowed=f"of {number(limit)}",
        cost="Fixed",
        note=full if used >= limit else "A fixed limit.",
        ahead="no overage",
        price="no overage",
    )
