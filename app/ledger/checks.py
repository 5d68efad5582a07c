"""The checks of an audit: each one statement, so that it sees one moment of the books whoever else is writing.

A check answers rows at fault; its sentence says what is wrong with each. `{new}` is the condition on legs `l` that
limits an incremental audit to what was written since the last, `{number}` the column that numbers legs.
"""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One rule of the books as a query for its violations. `full_only` checks look at every row there is."""

    name: str
    sentence: str
    sql: str
    full_only: bool = False


_TOUCHED = "(SELECT DISTINCT l.customer_id, l.entry_id FROM ledger_leg l WHERE {new})"
_SAME = "{0}.customer_id = {1}.customer_id AND {0}.account = {1}.account AND {0}.asset = {1}.asset"
_ACCOUNT = "l.customer_id = a.customer_id AND l.account = a.kind AND l.asset = a.asset"

CHECKS = (
    Check(
        "sum to zero",
        "Entry {1} of {0} does not sum to zero: its {2} legs come to {3}.",
        f"SELECT x.customer_id, x.entry_id, x.asset, sum(x.amount) FROM ledger_leg x JOIN {_TOUCHED} t "
        "ON t.customer_id = x.customer_id AND t.entry_id = x.entry_id "
        "GROUP BY x.customer_id, x.entry_id, x.asset HAVING sum(x.amount) <> 0",
    ),
    Check(
        "complete",
        "Entry {1} of {0} says it has {2} legs and has {3}.",
        f"SELECT e.customer_id, e.id, e.legs, count(*) FROM {_TOUCHED} t JOIN ledger_entry e "
        "ON e.customer_id = t.customer_id AND e.id = t.entry_id JOIN ledger_leg x "
        "ON x.customer_id = t.customer_id AND x.entry_id = t.entry_id "
        "GROUP BY e.customer_id, e.id, e.legs HAVING count(*) <> e.legs",
    ),
    Check(
        "no stray leg",
        "A leg on {2} of {0} belongs to entry {1}, which does not exist.",
        "SELECT l.customer_id, l.entry_id, l.account FROM ledger_leg l LEFT JOIN ledger_entry e "
        "ON e.customer_id = l.customer_id AND e.id = l.entry_id WHERE {new} AND e.id IS NULL",
    ),
    Check(
        "no empty entry",
        "Entry {1} of {0} has no legs.",
        "SELECT e.customer_id, e.id FROM ledger_entry e WHERE NOT EXISTS "
        "(SELECT 1 FROM ledger_leg x WHERE x.customer_id = e.customer_id AND x.entry_id = e.id)",
        full_only=True,
    ),
    Check(
        "chain",
        "Line {2} of {1} of {0} does not follow from the one before it: {3} plus {4} is not {5}, or it is missing or "
        "later.",
        "SELECT l.customer_id, l.account, l.seq, p.balance_after, l.amount, l.balance_after FROM ledger_leg l "
        f"LEFT JOIN ledger_leg p ON {_SAME.format('p', 'l')} AND p.seq = l.seq - 1 AND p.seq IS NOT NULL "
        "WHERE {new} AND l.seq IS NOT NULL AND (coalesce(p.balance_after, 0) + l.amount <> l.balance_after "
        "OR (l.seq > 1 AND p.seq IS NULL) OR l.seq < 1 OR p.recorded_at > l.recorded_at)",
    ),
    Check(
        "kind chain",
        "Line {2} of {1} of {0} says it is number {4} of its kind {3}, and the one before is missing or later.",
        "SELECT l.customer_id, l.account, l.seq, l.kind, l.kind_seq FROM ledger_leg l "
        f"LEFT JOIN ledger_leg p ON {_SAME.format('p', 'l')} AND p.kind = l.kind AND p.kind_seq = l.kind_seq - 1 "
        "AND p.seq IS NOT NULL "
        "WHERE {new} AND l.seq IS NOT NULL AND ((l.kind_seq > 1 AND p.seq IS NULL) OR l.kind_seq < 1 "
        "OR p.seq >= l.seq)",
    ),
    Check(
        "stored balance",
        "The {1} ({2}) of {0} stores a balance of {3} at version {4}; its newest line {5} says {6}.",
        "SELECT a.customer_id, a.kind, a.asset, a.balance, a.version, n.seq, n.balance_after FROM ledger_account a "
        "LEFT JOIN ledger_leg n ON n.customer_id = a.customer_id AND n.account = a.kind AND n.asset = a.asset "
        "AND n.seq = a.version AND n.seq IS NOT NULL "
        "WHERE (a.version = 0 AND a.balance <> 0) OR (a.version > 0 AND (n.seq IS NULL OR n.balance_after <> a.balance "
        ")) "
        "OR EXISTS (SELECT 1 FROM ledger_leg l WHERE "
        f"{_ACCOUNT} AND l.seq = a.version + 1 AND l.seq IS NOT NULL)",
    ),
    Check(
        "sum of legs",
        "The {1} ({2}) of {0} stores balance {3}, promotional {4}, version {5}; its lines come to {6}, {7} and {8}.",
        "SELECT a.customer_id, a.kind, a.asset, a.balance, a.promo, a.version, coalesce(s.amount, 0), "
        "coalesce(s.promo, 0), coalesce(s.legs, 0) FROM ledger_account a LEFT JOIN "
        "(SELECT customer_id, account, asset, sum(amount) AS amount, sum(promo_amount) AS promo, count(*) AS legs "
        "FROM ledger_leg WHERE seq IS NOT NULL GROUP BY customer_id, account, asset) s "
        "ON s.customer_id = a.customer_id AND s.account = a.kind AND s.asset = a.asset "
        "WHERE a.balance <> coalesce(s.amount, 0) OR a.promo <> coalesce(s.promo, 0) "
        "OR a.version <> coalesce(s.legs, 0)",
        full_only=True,
    ),
    Check(
        "no line without account",
        "There are lines of {1} ({2}) of {0}, and no such account.",
        "SELECT DISTINCT l.customer_id, l.account, l.asset FROM ledger_leg l LEFT JOIN ledger_account a "
        f"ON {_ACCOUNT} WHERE {{new}} AND l.seq IS NOT NULL AND a.kind IS NULL",
    ),
    Check(
        "holds",
        "The {1} ({2}) of {0} says {3} is held; its live holds come to {4}.",
        "SELECT a.customer_id, a.kind, a.asset, a.held, coalesce(h.amount, 0) FROM ledger_account a LEFT JOIN "
        "(SELECT customer_id, account, asset, sum(amount) AS amount FROM ledger_hold WHERE state = 'held' "
        "GROUP BY customer_id, account, asset) h "
        "ON h.customer_id = a.customer_id AND h.account = a.kind AND h.asset = a.asset "
        "WHERE a.held <> coalesce(h.amount, 0)",
    ),
    Check(
        "settlements",
        "Hold {1} of {0} was settled for {2}, and entry {3} does not say so.",
        "SELECT h.customer_id, h.id, h.settled_amount, h.settled_entry FROM ledger_hold h LEFT JOIN ledger_leg l "
        "ON l.customer_id = h.customer_id AND l.entry_id = h.settled_entry AND l.account = h.account "
        "AND l.asset = h.asset AND l.seq IS NOT NULL WHERE h.state = 'settled' "
        "AND coalesce(h.settled_amount, -1) <> -coalesce(l.amount, 0)",
        full_only=True,
    ),
    Check(
        "settling entries",
        "Entry {1} of {0} settles hold {2}, which does not say so.",
        "SELECT e.customer_id, e.id, substr(e.key, 8) FROM ledger_entry e LEFT JOIN ledger_hold h "
        "ON h.customer_id = e.customer_id AND h.id = substr(e.key, 8) WHERE substr(e.key, 1, 7) = 'settle:' "
        "AND (h.id IS NULL OR h.state <> 'settled' OR coalesce(h.settled_entry, '') <> e.id)",
        full_only=True,
    ),
    Check(
        "floor",
        "The {1} ({2}) of {0} is below its floor, or its debt or promotional part is impossible: "
        "balance {3}, held {4}, debt {5}, promotional {6}.",
        "SELECT customer_id, kind, asset, balance, held, debt, promo FROM ledger_account "
        "WHERE balance - held < -debt OR held < 0 OR debt <> CASE WHEN held > balance THEN held - balance ELSE 0 END "
        "OR promo < 0 OR promo > CASE WHEN balance > 0 THEN balance ELSE 0 END",
    ),
    Check(
        "one entry per key",
        "The key {1!r} of {0} has {2} entries.",
        "SELECT customer_id, key, count(*) FROM ledger_entry GROUP BY customer_id, key HAVING count(*) > 1",
        full_only=True,
    ),
    Check(
        "reversals",
        "Entry {1} of {0} does not undo {2}: {3} ({4}) is left with {5}.",
        "SELECT r.customer_id, r.id, r.reverses, x.account, x.asset, sum(x.amount) FROM ledger_entry r "
        "JOIN ledger_leg x ON x.customer_id = r.customer_id AND x.entry_id IN (r.id, r.reverses) "
        "WHERE r.reverses IS NOT NULL "
        "GROUP BY r.customer_id, r.id, r.reverses, x.account, x.asset HAVING sum(x.amount) <> 0",
        full_only=True,
    ),
    Check(
        "roll-ups",
        "The roll-up of {1} ({2}), kind {3}, on {0} is off by {4} legs, {5} in and {6} out.",
        "SELECT day, account, asset, kind, sum(legs), sum(amount_in), sum(amount_out) FROM "
        "(SELECT day, account, asset, kind, house, legs, amount_in, amount_out FROM ledger_rollup UNION ALL "
        "SELECT {day}, l.account, l.asset, l.kind, CASE WHEN l.seq IS NULL THEN 1 ELSE 0 END, -1, "
        "-CASE WHEN l.amount > 0 THEN l.amount ELSE 0 END, CASE WHEN l.amount < 0 THEN l.amount ELSE 0 END "
        "FROM ledger_leg l WHERE {number} <= coalesce((SELECT number FROM ledger_mark WHERE name = 'rollup'), 0)) "
        "both_ways "
        "GROUP BY day, account, asset, kind, house "
        "HAVING sum(legs) <> 0 OR sum(amount_in) <> 0 OR sum(amount_out) <> 0",
        full_only=True,
    ),
)

# What each account kind was moved by, to hold against the chart; and each account's tallies beside the truth.
MOVEMENTS = (
    "SELECT l.kind, l.account, CASE WHEN l.seq IS NULL THEN 1 ELSE 0 END, CASE WHEN l.amount > 0 THEN 1 ELSE -1 END, "
    "count(*), min(l.entry_id) FROM ledger_leg l WHERE {new} GROUP BY 1, 2, 3, 4"
)
TALLIES_FULL = (
    "SELECT a.customer_id, a.kind, a.asset, a.tallies, l.kind, count(l.seq), "
    "sum(CASE WHEN l.amount > 0 THEN l.amount ELSE 0 END), sum(CASE WHEN l.amount < 0 THEN -l.amount ELSE 0 END), "
    "a.version FROM ledger_account a LEFT JOIN ledger_leg l ON "
    f"{_ACCOUNT} AND l.seq IS NOT NULL "
    "GROUP BY a.customer_id, a.kind, a.asset, a.version, l.kind, {tallies} ORDER BY 1, 2, 3"
)
