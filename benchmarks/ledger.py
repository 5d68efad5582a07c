"""How close our debit paths come to what the database can do by itself, on PostgreSQL and SQLite, in one run.

    python benchmarks/ledger.py [--rounds 5] [--seconds 2] [--only postgresql|sqlite|history] [--history 1000000]

Every case runs once per round, ours and the limits in turn, so that a busy machine slows all alike; the figures are
medians over the rounds, and only the ratios compare between machines, as far as their disks sync alike: that time is
printed with them. "Our rows" is the ratio to the same limit when it writes what our tables keep of a debit.

Afterwards the books are audited in full; the run fails if they are not clean.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import ledger
from app.cli import http_server
from app.db import Base, make_engine
from benchmarks import debits, histories, servers
from benchmarks.debits import WALLETS, Measured

Case = Callable[[float], Measured]

KEPT = ", our rows"  # the limit that writes the rows as our tables keep them

# case, what it is measured against, the ratio to reach, and the one beyond (docs/decisions/0003)
RATIOS = {
    "postgresql": [
        ("one thread", "limit, 1 client", 0.6, 0.85),
        ("one thread, hot", "limit, 1 client, hot", 0.6, 0.85),
        ("hot, 8 threads", "limit, 8 clients, hot", 2, 2.5),
        ("hot, 16 threads", "limit, 16 clients, hot", None, None),
        ("hot, 32 threads", "limit, 16 clients, hot", 5, 7),
        ("8 threads", "limit, 8 clients", None, None),
        ("16 threads", "limit, 16 clients", None, None),
        ("32 threads", "limit, 16 clients", 1.2, 1.7),
        ("bulk of 1,000", "limit, batches of 500", 0.9, 1.4),
        ("bulk of 1,000, hot", "limit, batches of 500, hot", None, None),
        ("session, one thread", "limit, 1 client", None, None),
    ],
    "sqlite": [
        ("one thread", "limit", 0.5, 0.8),
        ("one thread, hot", "limit, hot", 0.5, 0.8),
        ("hot, 8 threads", "limit, hot", 1.3, 1.8),
        ("hot, 16 threads", "limit, hot", None, None),
        ("hot, 32 threads", "limit, hot", None, None),
        ("8 threads", "limit", None, None),
        ("32 threads", "limit", None, None),
        ("bulk of 1,000", "limit, 1,000 per commit", None, None),
        ("session, one thread", "limit", None, None),
    ],
}


def our_cases(engine: Engine, threads: tuple[int, ...], lines: int) -> dict[str, Case]:
    """The committer on one hot wallet and on many, in bulk, and the ordinary session."""

    def threaded(number: int, wallets: int, path: str = "committer") -> Case:
        return lambda seconds: debits.run(
            engine, threads=number, wallets=wallets, seconds=seconds, path=path, lines=lines
        )

    cases: dict[str, Case] = {"one thread": threaded(1, WALLETS), "one thread, hot": threaded(1, 1)}
    for number in threads:
        cases[f"hot, {number} threads"] = threaded(number, 1)
        cases[f"{number} threads"] = threaded(number, WALLETS)
    cases["bulk of 1,000"] = lambda seconds: debits.bulk(engine, size=1000, wallets=WALLETS, seconds=seconds)
    cases["bulk of 1,000, hot"] = lambda seconds: debits.bulk(engine, size=1000, wallets=1, seconds=seconds)
    cases["session, one thread"] = threaded(1, WALLETS, "session")
    return cases


def postgresql_limits(home: Path) -> dict[str, Case]:
    def clients(number: int, wallets: int, schema: str) -> Case:
        script = f"\\set w random(0, {wallets - 1})\nSELECT {schema}.debit(:w);\n"
        return lambda seconds: Measured(servers.pgbench(home, script, number, seconds))

    def batches(wallets: int, schema: str) -> Case:
        script = f"SELECT {schema}.debit_many(500, {wallets});\n"
        return lambda seconds: Measured(500 * servers.pgbench(home, script, 1, seconds))

    cases: dict[str, Case] = {}
    for schema, also in (("bare", ""), ("kept", KEPT)):
        for wallets, hot in ((WALLETS, ""), (1, ", hot")):
            cases[f"limit, 1 client{hot}{also}"] = clients(1, wallets, schema)
            for number in (8, 16):
                cases[f"limit, {number} clients{hot}{also}"] = clients(number, wallets, schema)
            cases[f"limit, batches of 500{hot}{also}"] = batches(wallets, schema)
    return cases


def sqlite_limits(parent: Path) -> dict[str, Case]:
    program = servers.compiled_limit(parent)

    def limit(wallets: int, batch: int, like: Path | None) -> Case:
        return lambda seconds: Measured(servers.sqlite_limit(program, parent, wallets, seconds, batch, like))

    cases: dict[str, Case] = {}
    for like, also in ((None, ""), (parent / "purser.db", KEPT)):
        cases |= {"limit" + also: limit(WALLETS, 1, like), "limit, hot" + also: limit(1, 1, like)}
        cases["limit, 1,000 per commit" + also] = limit(WALLETS, 1000, like)
    return cases


def measure(cases: dict[str, Case], rounds: int, seconds: float) -> dict[str, list[Measured]]:
    seen: dict[str, list[Measured]] = {name: [] for name in cases}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
        for name, case in cases.items():
            seen[name].append(case(seconds))
    return seen


def report(title: str, seen: dict[str, list[Measured]]) -> None:
    def median(name: str, what: str = "per_second") -> float:
        return statistics.median(getattr(one, what) for one in seen[name])

    def ratio(ours: str, theirs: str) -> float:
        pairs = zip(seen[ours], seen[theirs], strict=True)
        return statistics.median(our.per_second / their.per_second for our, their in pairs)

    print("| case | debits/s | against | debits/s | ratio | reach | beyond | our rows ", end="")
    print("| p50 ms | p99 ms | Python | statements |")
    print("|---" * 12 + "|")
    for name, limit, reach, beyond in RATIOS[title]:
        if name not in seen:
            continue
        print(
            f"| {name} | {median(name):,.0f} | {limit} | {median(limit):,.0f} | **{ratio(name, limit):.2f}** "
            f"| {reach or ''} | {beyond or ''} | {ratio(name, limit + KEPT):.2f} | {median(name, 'p50_ms'):.2f} "
            f"| {median(name, 'p99_ms'):.2f} | {median(name, 'python_share'):.0%} "
            f"| {median(name, 'statements'):.3f} |"
        )
    for name in ("hot, 8 threads", "hot, 32 threads", "32 threads"):
        sizes: Counter[int] = sum((one.batches for one in seen.get(name, [])), Counter())
        if sizes:
            common = ", ".join(f"{size}×{count}" for size, count in sizes.most_common(5))
            print(f"\nBatches seen, {name}: mean {sum(s * c for s, c in sizes.items()) / sizes.total():.1f}; {common}")


def audited(engine: Engine) -> bool:
    with Session(engine) as session:
        found = ledger.audit(session, full=True)
    print(f"\nAudit: {'clean' if found.clean else 'FAULTS'}; {found.checked}")
    for fault in found.faults[:20]:
        print("  " + fault)
    return found.clean


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", choices=["postgresql", "sqlite", "history"])
    parser.add_argument(
        "--history", type=int, default=1_000_000, help="entries of the longest history (10000000 takes long)"
    )
    parser.add_argument(
        "--directory", type=Path, help="on the disk to measure; default: the system's temporary directory"
    )
    parser.add_argument("--lines", type=int, default=1, help="lines of callers of the committer on PostgreSQL")
    parser.add_argument("--cases", help="the cases to run, parted by semicolons")
    given = parser.parse_args()
    clean = True
    http_server.spare_the_collector()  # as `purser serve` does
    with tempfile.TemporaryDirectory(dir=given.directory, ignore_cleanup_errors=True) as place:
        parent = Path(place)
        parent.chmod(0o755)
        with servers.postgresql(parent) as home:
            url = f"postgresql://postgres@/postgres?host={home}"
            databases = {"postgresql": url, "sqlite": f"sqlite:///{parent / 'purser.db'}"}
            for title, address in databases.items():
                if given.only in (None, title, "history"):
                    clean &= _benchmark(title, address, parent, home, given)
    return 0 if clean else 1


def _benchmark(title: str, url: str, parent: Path, home: Path, given: argparse.Namespace) -> bool:
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    if given.only != "history":
        debits.fill(ledger.Committer(engine))
        if title == "postgresql":
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    (servers.HERE / "limit.sql").read_text(), execution_options={"no_parameters": True}
                )
            limits = postgresql_limits(home)
        else:
            limits = sqlite_limits(parent)
        ours = our_cases(engine, (8, 16, 32), given.lines)
        wanted = set(given.cases.split(";") if given.cases else ours)
        for name, limit, _, _ in RATIOS[title]:
            wanted |= {limit, limit + KEPT} if name in wanted else set()
        cases = {name: case for name, case in (limits | ours).items() if name in wanted}
        before = servers.sync_microseconds(parent)
        seen = measure(cases, given.rounds, given.seconds)
        after = servers.sync_microseconds(parent)
        print(f"\n## {title}: this disk syncs 8 kB in {before:.0f} µs before, {after:.0f} µs after\n")
        report(title, seen)
    if given.only != title or given.only == "history":
        histories.report(title, engine, given.history)
    clean = audited(engine)
    engine.dispose()
    return clean


if __name__ == "__main__":
    sys.exit(main())
