"""Whether a usage page costs the same at a thousand events and at ten million."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import clock
from app.metering import caps, reads
from app.subscriptions import standing

NOW, MARCH = datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
FEW, TIMES = 1_000, 200

# Three months, twenty sources. `{n}` counts from zero; days and months are written as each database keeps them.
_DAY = {"sqlite": "date('2026-01-01', '+' || (n % 90) || ' days')", "postgresql": "(date '2026-01-01' + mod(n, 90))"}
_MONTH = {
    "sqlite": "strftime('%Y-%m-01 00:00:00.000000', {0})",
    "postgresql": "(date_trunc('month', {0})::date::timestamp AT TIME ZONE 'UTC')",
}
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {0} - 1)",
    "postgresql": "WITH numbers AS (SELECT generate_series(0, {0} - 1) n)",
}
_END = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', period_start, '+1 month')",
    "postgresql": "period_start + interval '1 month'",
}


def fill(engine: Engine, customer: str, events: int) -> None:
    """So many raw events of one customer, and the counters they add up to."""
    kind = engine.dialect.name
    day = _DAY[kind]
    month, false = _MONTH[kind].format(day), "0" if kind == "sqlite" else "false"
    at = f"{day} || ' 08:00:00.000000'" if kind == "sqlite" else f"{day} + interval '8 hours'"
    told = f"{day}" if kind == "sqlite" else f"{day}::text"
    third, source = ("n % 3", "(n * 7919) % 20") if kind == "sqlite" else ("mod(n, 3)", "mod(n * 7919::bigint, 20)")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql(
            f"{_NUMBERS[kind].format(events)} INSERT INTO usage_event SELECT '{customer}', 'ev' || n, 'views', "
            f"1 + {third}, 'shop' || {source}, {at}, {at}, {month}, {told}, {false}, 0, 0 FROM numbers"
        )
        connection.exec_driver_sql(
            "INSERT INTO usage_counter SELECT customer_id, meter, period_start, day, source, sum(quantity), 0, 0 "
            f"FROM usage_event WHERE customer_id || '' = '{customer}' GROUP BY 1, 2, 3, 4, 5"
        )
        connection.exec_driver_sql(
            f"INSERT INTO usage_period SELECT customer_id, meter, period_start, {_END[kind]}, sum(quantity), 0, 0, "
            f"NULL, NULL, NULL, NULL FROM usage_counter WHERE customer_id = '{customer}' GROUP BY 1, 2, 3"
        )


def report(title: str, engine: Engine, many: int) -> None:
    """Median milliseconds of each read, and of all of a page's, for few events and for many."""
    if not many:
        return
    sizes = (FEW, many)
    for size in sizes:
        fill(engine, f"cus_read{size}", size)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    took: dict[tuple[str, int], list[float]] = {}
    with clock.frozen(lambda: NOW), Session(engine) as session:
        for number in range(TIMES + 10):
            for size in sizes:
                for name, read in _reads(session, f"cus_read{size}").items():
                    began = time.perf_counter()
                    read()
                    if number >= 10:
                        took.setdefault((name, size), []).append(time.perf_counter() - began)
                session.expunge_all()
    print(f"\n## Reading one customer's usage, {title}: median ms by events\n")
    print(f"| read | {FEW:,} | {many:,} | ratio |\n|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in took):
        few, lots = (statistics.median(took[name, size]) * 1e3 for size in sizes)
        print(f"| {name} | {few:.2f} | {lots:.2f} | {lots / few:.2f} |")


def _reads(session: Session, customer: str) -> dict[str, Callable[[], object]]:
    def meters() -> object:
        return reads.meters(session, standing.of(session, customer))

    single: dict[str, Callable[[], object]] = {
        "meters": meters,
        "days of a period": lambda: reads.days(session, customer, "views", MARCH),
        "sources of a period": lambda: reads.sources(session, customer, "views", MARCH),
        "days since a week": lambda: reads.daily(session, customer, date(2026, 3, 24)),
        "past periods": lambda: reads.periods(session, customer),
        "spend cap": lambda: caps.spend_cap(session, customer),
    }
    return {**single, "all of a page": lambda: [read() for read in single.values()]}
