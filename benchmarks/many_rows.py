"""Rows of the tables around the ledger, by the hundred thousand: one row of the seed's, repeated with other ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text


@dataclass(frozen=True)
class Words:
    """Pieces of SQL in the words of either database."""

    lite: bool

    def series(self, low: int, high: int) -> str:
        """A table of `n` from low to high."""
        if self.lite:
            step = f"SELECT {low} AS n UNION ALL SELECT n + 1 FROM series WHERE n < {high}"
            return f"(WITH RECURSIVE series(n) AS ({step}) SELECT n FROM series)"
        return f"generate_series({low}\\:\\:bigint, {high}\\:\\:bigint) AS series(n)"

    def id(self, prefix: str, number: str) -> str:
        """An id as long as a real one, ascending with the number."""
        padded = f"printf('%026d', {number})" if self.lite else f"lpad(({number})\\:\\:text, 26, '0')"
        return f"'{prefix}_' || {padded}"

    def time(self, seconds: str) -> str:
        """An instant from seconds since 1970, as the database keeps it."""
        if self.lite:
            return f"strftime('%Y-%m-%d %H\\:%M\\:%S.000000', {seconds}, 'unixepoch')"
        return f"to_timestamp({seconds})"


@dataclass(frozen=True)
class Copies:
    """`each` rows per customer (or one for `per` customers) of a table, like its first row, but for these columns.

    In an expression `n` counts the rows, `c` is the customer's number; {id}, {cus} and {at} are put in.
    """

    table: str
    prefix: str
    columns: Mapping[str, str]
    each: int = 1
    per: int = 1
    like: str = "1 = 1"


_MADE = {"customer_id": "{cus}", "id": "{id}"}
COPIES = (
    Copies("customer", "cus", {"id": "{cus}", "name": "'Customer ' || c", "email": "'c' || c || '@example.com'",
                               "external_id": "NULL", "created_at": "{at}"}),
    Copies("user_account", "usr", {"id": "{id}", "name": "'Person ' || n", "email": "'p' || n || '@example.com'",
                                   "email_key": "'p' || n || '@example.com'", "staff_role": "NULL",
                                   "created_at": "{at}"}),
    Copies("membership", "usr", {"customer_id": "{cus}", "user_id": "{id}"}),
    Copies("activity", "act", {**_MADE, "at": "{at}", "subject": "{cus}", "actor": "'system'",
                               "action": "CASE WHEN n % 10 = 0 THEN 'invoice.paid' ELSE 'wallet.credited' END"},
           each=4),
    Copies("provider_event", "whe", {"id": "{id}", "event_id": "'evt_' || n", "object_id": "'obj_' || n",
                                     "received_at": "{at}", "occurred_at": "{at}", "customer_id": "{cus}",
                                     "order_id": "NULL", "state": "CASE WHEN n % 100 = 0 THEN 'dead' ELSE 'done' END"},
           each=3),
    Copies("payment_order", "ord", {**_MADE, "form_key": "'f' || n", "provider_ref": "'cs_' || n",
                                    "payment_id": "'pi_' || n", "created_at": "{at}"}, each=2, like="state = 'paid'"),
    Copies("payment", "ord", {"customer_id": "{cus}", "payment_id": "'pi_' || n", "order_id": "{id}", "at": "{at}",
                              "event_id": "''"}, each=2),
    Copies("invoice", "inv", {**_MADE, "number": "'B-' || n", "key": "'k' || n", "provider_id": "NULL",
                              "order_id": "NULL", "subscription_id": "NULL", "created_at": "{at}", "issued_at": "{at}"},
           each=2, like="source = 'purser'"),
    Copies("subscription", "sub", {**_MADE, "provider_id": "NULL"}, per=2),
    Copies("adjustment", "adj", {**_MADE, "key": "'k' || n", "asked_at": "{at}"}, per=20),
    Copies("api_key", "key", {**_MADE, "key_hash": "'h' || n", "created_at": "{at}"}),
    Copies("refund", "ref", {**_MADE, "key": "'k' || n", "created_at": "{at}", "updated_at": "{at}",
                             "state": "CASE WHEN n % 10 = 0 THEN 'requested' ELSE 'denied' END"}, per=10),
    Copies("dispute", "dsp", {**_MADE, "provider_dispute_id": "'dp_' || n", "opened_at": "{at}"}, per=20),
    Copies("reconciliation", "rec", {"id": "{id}", "asked_at": "{at}", "started_at": "{at}", "ended_at": "{at}"},
           per=10),
    Copies("webhook_event", "evt", {**_MADE, "key": "'k' || n", "at": "{at}"}),
    Copies("webhook_delivery", "dlv", {**_MADE, "event_id": "'evt_' || substr({id}, 5)", "created_at": "{at}"}),
    Copies("mail", "mail", {"id": "{id}", "created_at": "{at}", "due_at": "{at}"}),
    Copies("notice", "ntc", {**_MADE, "key": "'k' || n", "at": "{at}"}),
)  # fmt: skip

# What the seed has none of: one row to repeat, in words both databases understand.
_FIRST = {
    "refund": "customer_id, id, kind, state, channel, net_minor, tax_minor, amount_minor, own_loss_minor, currency, "
    "reason, requested_by, key, attempt, created_at, updated_at) SELECT id, 'ref_a', 'balance', 'requested', NULL, "
    "500, 0, 500, 0, 'usd', '', 'usr_1', 'a', 0, created_at, created_at FROM customer LIMIT 1",
    "dispute": "customer_id, id, channel, provider_dispute_id, payment_id, paid_for, amount_minor, currency, "
    "reversed_minor, own_loss_minor, fee_minor, revoked_credits, phase, evidence, freezes, told_as, opened_at, "
    "updated_at) SELECT id, 'dsp_a', 'stripe', 'dp_a', 'pi_a', 'wallet', 500, 'usd', 0, 0, 0, 0, 'lost', 'none', "
    "false, '1', created_at, created_at FROM customer LIMIT 1",
    "reconciliation": "id, channel, state, asked_by, asked_at, started_at, ended_at, walked_to, looked_at, changed, "
    "change_count, unread) SELECT 'rec_a', 'stripe', 'done', 'system', created_at, created_at, created_at, '', '{}', "
    "'[]', 0, '[]' FROM customer LIMIT 1",
    "webhook_endpoint": "id, url, secret, types, state, created_by, created_at, changed_at) SELECT 'whk_a', "
    "'https://example.com/', 'whsec_a', '[]', 'on', 'usr_1', created_at, created_at FROM customer LIMIT 1",
    "webhook_event": "customer_id, id, type, key, body, at) SELECT id, 'evt_a', 'wallet.credited', 'a', '{}', "
    "created_at FROM customer LIMIT 1",
    "webhook_delivery": "customer_id, id, endpoint_id, event_id, type, state, attempts, tries, due_at, created_at) "
    "SELECT id, 'dlv_a', 'whk_a', 'evt_a', 'wallet.credited', 'delivered', 1, 1, created_at, created_at "
    "FROM customer LIMIT 1",
}


def fill(connection: Connection, customers: int, start: int, span: int) -> None:
    """Every table of COPIES, for customers 1 to `customers`, their times spread over `span` seconds from `start`."""
    words = Words(connection.dialect.name == "sqlite")
    for table, values in _FIRST.items():
        connection.execute(text(f"INSERT INTO {table} ({values.replace(':', chr(92) + ':')}"))
    for copies in COPIES:
        columns = [column["name"] for column in inspect(connection).get_columns(copies.table)]
        total = customers * copies.each // copies.per
        at = words.time(f"{start} + n * {span} / {total}")
        put = {"id": words.id(copies.prefix, "n"), "cus": words.id("cus", "c"), "at": at}
        values = [
            copies.columns[name].format(**put) if name in copies.columns else f"t.{_quoted(name)}" for name in columns
        ]
        whose = f"(n * {copies.per} - 1) / {copies.each} + 1" if copies.per == 1 else f"n * {copies.per}"
        connection.execute(
            text(
                f"INSERT INTO {copies.table} ({', '.join(map(_quoted, columns))}) SELECT {', '.join(values)} "
                f"FROM (SELECT n, {whose} AS c FROM {words.series(1, total)}) s "
                f"CROSS JOIN (SELECT * FROM {copies.table} WHERE {copies.like} LIMIT 1) t"
            )
        )


def _quoted(name: str) -> str:
    return f'"{name}"'
