"""Whether staff's lists cost the same for a business of 1,000 customers and for one of 100,000, near and deep.

    python benchmarks/back_office.py [--customers 100000] [--each 100] [--rounds 9] [--only sqlite|postgresql]
                                     [--directory PLACE] [--page PART]

`--each` is how many wallet entries a customer has: 100 make ten million. The lists are read from the application's own
routes: every page under /admin that needs no id, the ledger accounts and one customer's pages besides. Each is read at
its first page and at one deep inside, reached by the cursor of a row in the middle, or by thirty presses on "Older"
where none is known here; and with the filters staff use most. The big and the small database take turns.

It fails when a list asks the database more often with much than with little, or takes more than twice as long: deep
against first, much against little; less than ten milliseconds of difference do not count. It goes by the fastest of the
rounds; on SQLite, where all is done in this process, by the processor's time that it took. What has to add up or look
through all customers is named in GROWS, and may take a tenth of a second longer with much; a search a quarter.

The data is made by bulk SQL (about 12 GB in SQLite and 20 in PostgreSQL at ten million entries) and deleted afterwards.
With `--directory` it stays there, and is used again the next time.
"""

from __future__ import annotations

import argparse
import html
import logging
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.db import UTCDateTime
from app.http.paging import cursor
from app.people import passwords
from benchmarks import servers
from benchmarks.many_customers import customer_id
from benchmarks.offices import Files, Office, Server, open_office

SMALL = 1_000  # customers of the small business
MOST_RATIO, NOT_WORTH_TELLING = 2.0, 0.010
# What takes longer the more there is, by the page's address, and why it is left so.
EVERY_ACCOUNT = "adds up what every customer holds: an index over balances would be written with every debit"
EVERY_SUBSCRIPTION = "counts every subscription, from an index alone: states end by time, so no count could be kept"
EVERY_NUMBER = "PostgreSQL reads its index over leg numbers whole; one it could enter would cost every debit"
GROWS = {
    "/admin": EVERY_ACCOUNT,
    "/admin/balances": EVERY_ACCOUNT,
    "/admin/plans": EVERY_SUBSCRIPTION,
    "/admin/subscriptions": EVERY_SUBSCRIPTION,
    "/admin/subscriptions?state=paying": EVERY_SUBSCRIPTION,
    "/admin/books/accounts/usd/adjustments": EVERY_NUMBER,
    "/admin/books/accounts/usd/revenue": EVERY_NUMBER,
    "/admin/customers?q=nobody-at-all": "looks for part of a name in every name and address; a whole one is indexed",
}
MOST_GROWTH, MOST_OF_SEARCH = 0.100, 0.250  # seconds
PRESSES = 30
TOO_LONG = 5.0  # seconds
# Pages that are no lists: forms, and what only downloads.
LEFT_OUT = re.compile(r"/new|/file$|\.csv$|\.toml$|^/admin/(billing|credits/transactions|checkin|channels/)")
OLDER = re.compile(r'<a [^>]*href="([^"]+)" rel="next"')


@dataclass
class Seen:
    """What one address took at best, in seconds, and how often the database was asked."""

    seconds: float
    queries: int


def main() -> int:
    asked = _arguments()
    logging.disable(logging.CRITICAL)
    passwords.use(memory_kib=8, rounds=1)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as passing:
        folder = Path(asked.directory or passing)
        folder.mkdir(exist_ok=True, parents=True)
        if asked.only != "postgresql":
            faults += measure("SQLite", Files(folder), asked)
        if asked.only != "sqlite":
            folder.chmod(0o777)
            with servers.postgresql(folder, kept=bool(asked.directory)) as home:
                faults += measure("PostgreSQL", Server(home), asked)
    print(
        "\n"
        + (
            "\n".join(faults)
            or "Every list is as quick at the end as at the beginning, and with much as with little, save GROWS."
        )
    )
    return 1 if faults else 0


def measure(title: str, place: Files | Server, asked: argparse.Namespace) -> list[str]:
    """Have both businesses, read every list of each in turn, and print the table; what is wrong, in sentences."""
    small, big = (open_office(place, size, asked.each) for size in (SMALL, asked.customers))
    print(f"\n## {title}: {big.customers:,} customers, {big.customers * big.each:,} entries\n")
    print("| list | ms, little | ms, much | much / little | ms, deep | deep / first | queries |")
    print("|---" * 7 + "|")
    faults = []
    for endpoint, address in addresses(big.app).items():
        if asked.page not in address:
            continue
        status = max(each.browser.get(address).status_code for each in (small, big))
        if status != 200:
            if status >= 400:
                faults.append(f"{title}: {address} answers {status}.")
            continue  # what only leads elsewhere is no list
        little, much, deep = _read(small, big, endpoint, address, asked.rounds)
        assert little is not None
        assert much is not None
        print(_line(address, little, much, deep), flush=True)
        faults += [f"{title}: {address}, {each}" for each in _wrong(address, little, much, deep)]
    for each in (small, big):
        each.engine.dispose()
    return faults


def _line(address: str, little: Seen, much: Seen, deep: Seen | None) -> str:
    cells = [f"{little.seconds * 1e3:.1f}", f"{much.seconds * 1e3:.1f}", f"{much.seconds / little.seconds:.2f}"]
    cells += [f"{deep.seconds * 1e3:.1f}", f"{deep.seconds / much.seconds:.2f}"] if deep else ["–", "–"]
    queries = ", ".join(str(each.queries) for each in (little, much, deep) if each)
    return f"| {address} | {' | '.join(cells)} | {queries} |"


def _wrong(address: str, little: Seen, much: Seen, deep: Seen | None) -> list[str]:
    found = []
    if max(much.queries, deep.queries if deep else 0) > little.queries + 2:
        found.append(f"asks {much.queries} times where a small one asks {little.queries}.")
    for what, longer, shorter in (("much", much, little), ("deep", deep, much)):
        more = NOT_WORTH_TELLING
        if what == "much" and address in GROWS:
            more = MOST_OF_SEARCH if "?q=" in address else MOST_GROWTH
        if longer and longer.seconds > max(shorter.seconds * MOST_RATIO, shorter.seconds + more):
            found.append(f"{what}: {longer.seconds / shorter.seconds:.1f} times as long.")
    return found


def addresses(app: Flask) -> dict[str, str]:
    """A name for each measured address: every list of the application's routes, a few with filters, and two more."""
    found = {}
    for rule in app.url_map.iter_rules():
        is_page = rule.rule.startswith("/admin") and "GET" in (rule.methods or ()) and not rule.arguments
        if is_page and not LEFT_OUT.search(rule.rule):
            found[rule.endpoint] = rule.rule
    found["admin_ledger.account"] = "/admin/books/accounts/usd/revenue"
    found["admin_ledger.account, rare"] = "/admin/books/accounts/usd/adjustments"
    one = customer_id(SMALL // 2)
    found["admin_customers.show"] = f"/admin/customers/{one}"
    found["admin_customers.transactions"] = f"/admin/customers/{one}/transactions"
    filters = [
        *("activity?action=wallet.", "activity?action=books.", "activity?actor=cli", f"activity?customer={one}"),
        *("subscriptions?state=paying", "subscriptions?state=past_due", "invoices?state=open"),
        *("webhooks?state=dead", "webhooks?type=invoice.", "webhooks?channel=stripe"),
        *(f"transactions?customer={one}", "transactions?type=adjustment"),
        "transactions?account=wallet&from=2026-06-01&to=2026-06-30",
        *(f"customers?q=c{SMALL // 2}@example.com", f"customers?q={one}", "customers?q=nobody-at-all"),
    ]
    for path in filters:
        found["filtered: " + path] = "/admin/" + path
    return dict(sorted(found.items(), key=lambda pair: (pair[0].startswith("filtered"), pair[1])))


def _read(
    small: Office, big: Office, endpoint: str, address: str, rounds: int
) -> tuple[Seen | None, Seen | None, Seen | None]:
    inside = _deep(big, endpoint, address)
    clock = time.thread_time if big.engine.dialect.name == "sqlite" else time.perf_counter
    wanted: list[tuple[Office, str | None]] = [(small, address), (big, address), (big, inside)]
    took: list[list[float]] = [[], [], []]
    for number in range(rounds + 2):
        for place, (office, where) in enumerate(wanted):
            if where is None:
                continue
            began = clock()
            answer = office.browser.get(where)
            spent = clock() - began
            assert answer.status_code == 200, (where, answer.text)
            if number >= 2 or spent > TOO_LONG:
                took[place].append(spent)
        if max(took[1] + took[2], default=0) > TOO_LONG and all(took[:2]):
            break  # that it takes too long is known by now
    return [
        Seen(min(spent), _queries(office, str(where))) if spent else None
        for (office, where), spent in zip(wanted, took, strict=True)
    ]


def _deep(office: Office, endpoint: str, address: str) -> str | None:
    """The address of a page in the middle of a list; None for what has one page."""
    page = office.browser.get(address).text
    found = OLDER.search(page)
    if not found:
        return None
    older = html.unescape(found[1])
    place = _middle(office, endpoint) if not endpoint.startswith("filtered") else None
    if place is not None:
        return re.sub(r"before=[^&]*", lambda _: f"before={place}", older)
    for _ in range(PRESSES):
        found = OLDER.search(office.browser.get(older).text)
        if not found:
            return older
        older = html.unescape(found[1])
    return older


def _middle(office: Office, endpoint: str) -> str | None:
    """The cursor of a row in the middle of one of our lists, in the words of that list."""
    half = office.customers // 2
    ids = {
        "admin_customers.index": customer_id(half),
        "admin_balances.index": customer_id(half),
        "admin_webhooks.index": f"whe_{half * 3:026d}",
        "admin_invoices.index": f"inv_{half * 2:026d}",
        "admin_refunds.index": f"ref_{half // 10:026d}",
        "admin_disputes.index": f"dsp_{half // 20:026d}",
        "admin_subscriptions.index": f"sub_{half // 2:026d}",
        "admin_reconciliations.index": f"rec_{half // 10:026d}",
        "admin_outgoing.index": f"{customer_id(half)}:dlv_{half:026d}",
    }
    if endpoint in ids:
        return ids[endpoint]
    with Session(office.engine) as session:
        if endpoint == "admin_activity.index":
            line = f"act_{half * 4:026d}"
            at = session.scalar(select(Activity.at).where(Activity.id == line))
            return quote(f"{at.isoformat()}~{line}") if at else None
        if endpoint == "admin_transactions.index":
            return _half_way(session, office)
    return cursor(office.customers * office.each) if endpoint.startswith("admin_ledger.account") else None


def _half_way(session: Session, office: Office) -> str:
    """The place of the wallet's leg that was recorded half-way through the year."""
    turn = office.customers * office.each // 2
    number = "rowid" if office.engine.dialect.name == "sqlite" else "number"
    whose = {"customer": customer_id((turn - 1) % office.customers + 1), "entry": f"wtxn_{turn:026d}"}
    sql = text(
        f"SELECT recorded_at, {number} AS number FROM ledger_leg "
        "WHERE customer_id = :customer AND entry_id = :entry AND position = 0"
    )
    leg = session.execute(sql.columns(recorded_at=UTCDateTime), whose).one()
    return f"{leg.recorded_at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z~{leg.number}"


def _queries(office: Office, address: str) -> int:
    seen: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(office.engine, "before_cursor_execute", count)
    office.browser.get(address)
    event.remove(office.engine, "before_cursor_execute", count)
    return sum(not statement.startswith("BEGIN") for statement in seen)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--page", default="", help="read only the lists with this in their address")
    parser.add_argument("--directory", help="where to put the data, and find it again; without, it is deleted")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
