"""What the gallery shows of invoices: a sheet with everything on it, a list in each state, an empty one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from app import clock
from app.invoices.reads import Sums
from app.web.invoice_forms import STATUS_CHOICES, TYPE_CHOICES, InvoiceFilter
from app.web.invoice_rows import Happening, InvoiceRow
from app.web.invoice_sheet import Figure, Party, Sheet, SheetLine

LONG = "Bartholomew-Featherstonehaugh & Sons Consulting Engineers Ltd"
WORDS = ("Payment failed", "Open", "Paid", "Refunded", "Void")


def sheet() -> dict[str, Any]:
    seller = Party("Purser Demo Ltd", ["12 Quay Street", "Bristol BS1 4DJ", "United Kingdom", "Tax ID GB123456789"])
    buyer = Party(LONG, ["48 Mill Road", "Vancouver BC V5K 0A1", "Canada"])
    lines = [
        SheetLine("Growth, monthly", "", "1", "$249.00", "$249.00"),
        SheetLine("Proxy calls", "4 Nov 2026 to 3 Dec 2026", "12,345", "$0.0004", "$4.94"),
        SheetLine("Coupon HARBOR20, 20% off the plan", "", "1", "−$49.80", "−$49.80"),
    ]
    figures = [
        Figure("Before tax", "", "$204.14"),
        Figure("GST 5% on $204.14", "123456789 RT0001", "$10.21"),
        Figure("PST 7% on $204.14", "", "$14.29"),
        Figure("Total (USD)", "", "$228.64", "total"),
        Figure("Paid", "", "$0.00"),
        Figure("To pay", "", "$228.64", "sum"),
    ]
    facts = [("Issued", "4 Nov 2026"), ("Due", "4 Nov 2026"), ("For", "4 Nov 2026 to 3 Dec 2026")]
    return {"sheet": Sheet("Invoice INV-2026-0009", "Payment failed", seller, buyer, facts, lines, figures, "")}


def happened() -> dict[str, Any]:
    now = clock.now()
    history = [
        Happening("Next try", now + timedelta(days=3)),
        Happening("Payment failed: the wallet was $4.00 short", now, "Try 2"),
        Happening("Issued", now - timedelta(days=2)),
    ]
    return {"history": history, "invoice": _Provided()}


def listed() -> dict[str, Any]:
    rows = [
        InvoiceRow(
            id=f"inv_{number}",
            number=f"INV-2026-{number:04d}",
            title=LONG if number == 1 else "Growth, monthly",
            date="4 Nov 2026",
            machine_date="2026-11-04",
            status=word,
            note="Next try 8 Nov 2026" if number == 1 else "",
            net_minor=123_456_789,
            tax_minor=20_576_131,
            total_minor=144_032_920,
            currency="usd",
            to_pay=word in WORDS[:2],
        )
        for number, word in enumerate(WORDS, 1)
    ]
    return {**_list(), "rows": rows}


def listed_none() -> dict[str, Any]:
    return _list()


class _Provided:
    """An invoice of a provider, as far as its history asks."""

    hosted_url = "https://invoice.example.com/i/1"
    due_minor, order_id = 0, None


def _list() -> dict[str, Any]:
    return {
        "filters": InvoiceFilter(formdata=None),
        "statuses": STATUS_CHOICES,
        "types": TYPE_CHOICES,
        "rows": [],
        "sums": Sums(0, 0, 0, 0, None, 0),
        "pager": _Pager(),
        "filtered": False,
        "clear_link": Markup(""),
        "csv_url": "/invoices.csv",
        "may_pay": True,
    }


class _Pager:
    label, newer, older = "5 invoices, newest first", "", "/invoices"


STATES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "invoices": ("invoices/_list.html", listed),
    "invoices-none": ("invoices/_list.html", listed_none),
    "invoice-sheet": ("invoices/_sheet.html", sheet),
    "invoice-history": ("invoices/_history.html", lambda: {**happened(), "provider_title": "Stripe"}),
}
