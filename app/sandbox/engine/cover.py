"""What was debited for the present period, item by item: credits are shares of that, never of a list price.

Kept beside the subscription as `{item id: [debit, …]}`. A debit is `{line, invoice, net, start, end}`: the invoice line
it stands on, its amount in minor units after discounts and before tax, and the time it pays for.
"""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import discounts, invoice_lines
from app.sandbox.engine.amounts import share
from app.sandbox.tx import Tx

Cover = dict[str, list[Object]]


def of_lines(lines: list[Object], at: int) -> Cover:
    """The debits among these lines that pay for time after an instant."""
    found: Cover = {}
    for line in lines:
        if line["amount"] < 0 or line["period"]["end"] <= at:
            continue
        item = line["parent"]["subscription_item_details"]["subscription_item"]
        debit = {"line": line["id"], "invoice": line["invoice"], "net": discounts.net(line), **line["period"]}
        found.setdefault(item, []).append(debit)
    return found


def placed(cover: Cover, lines: list[Object]) -> Cover:
    """The same, where lines that waited for an invoice have now got one."""
    where = {line["id"]: line["invoice"] for line in lines}
    return {
        item: [{**debit, "invoice": debit["invoice"] or where.get(debit["line"])} for debit in debits]
        for item, debits in cover.items()
    }


def given_back(tx: Tx, cover: Cover, item: Object, at: int) -> list[Object]:
    """The lines that give back what was debited for an item's time after an instant."""
    lines = []
    for debit in cover.get(item["id"], []):
        start, end = max(at, debit["start"]), debit["end"]
        if start >= end:
            continue
        amount = -share(debit["net"], end - start, end - debit["start"])
        origin = {"invoice": debit["invoice"], "invoice_line_items": [debit["line"]]} if debit["invoice"] else None
        lines.append(invoice_lines.unused(tx, item, amount, (start, end), origin))
    return lines
