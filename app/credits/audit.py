"""The audit of credits: what is left of the grants is what the books say, and every share is accounted for."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

_MOST = 100  # sentences for each check

_BALANCES = (
    "SELECT customer_id, sum(books), sum(grants) FROM ("
    "SELECT customer_id, balance AS books, 0 AS grants FROM ledger_account WHERE kind = 'credits' UNION ALL "
    "SELECT customer_id, 0, remaining FROM credit_grant WHERE remaining > 0) b "
    "GROUP BY customer_id HAVING sum(books) <> sum(grants) ORDER BY 1"
)
_GRANTS = (
    "SELECT g.customer_id, g.id, g.remaining, coalesce(s.total, 0) FROM credit_grant g LEFT JOIN "
    "(SELECT customer_id, grant_id, sum(amount) AS total FROM credit_allocation GROUP BY customer_id, grant_id) s "
    "ON s.customer_id = g.customer_id AND s.grant_id = g.id WHERE g.remaining <> coalesce(s.total, 0) ORDER BY 1, 2"
)
# A grant that was made of an older balance stands under an entry that says less: `adopted` is its key.
_ENTRIES = (
    "SELECT s.customer_id, s.entry_id, s.total, coalesce(l.amount, 0) FROM "
    "(SELECT customer_id, entry_id, sum(amount) AS total FROM credit_allocation GROUP BY customer_id, entry_id) s "
    "LEFT JOIN ledger_leg l ON l.customer_id = s.customer_id AND l.entry_id = s.entry_id AND l.account = 'credits' "
    "AND l.seq IS NOT NULL LEFT JOIN credit_grant g ON g.customer_id = s.customer_id AND g.entry_id = s.entry_id "
    "WHERE s.total <> coalesce(l.amount, 0) AND coalesce(g.key, '') <> 'adopted' ORDER BY 1, 2"
)
_DAYS = (
    "SELECT customer_id, sum(days), sum(moved) FROM ("
    "SELECT customer_id, amount AS days, 0 AS moved FROM credit_day UNION ALL "
    "SELECT s.customer_id, 0, s.amount FROM credit_allocation s LEFT JOIN credit_grant g "
    "ON g.customer_id = s.customer_id AND g.entry_id = s.entry_id WHERE coalesce(g.key, '') <> 'adopted') b "
    "GROUP BY customer_id HAVING sum(days) <> sum(moved) ORDER BY 1"
)
_EVER = ((_BALANCES, "{0} has {1:,} credits in the books and {2:,} left in their grants."),)
_FULL = (
    (_GRANTS, "Of the grant {1} of {0} {2:,} are left; its movements come to {3:,}."),
    (_ENTRIES, "The shares of the entry {1} of {0} come to {2:,}; it moved {3:,} credits."),
    (_DAYS, "The days of {0} come to {1:,} credits; the movements come to {2:,}."),
)


def faults(session: Session, *, full: bool = False) -> Iterator[str]:
    """A plain sentence for every fault. Always: all balances against all grants. Full: every movement as well."""
    for sql, sentence in (*_EVER, *(_FULL if full else ())):
        for row in session.execute(text(sql)).fetchmany(_MOST):
            yield sentence.format(row[0], *(part if isinstance(part, str) else int(part) for part in row[1:]))
