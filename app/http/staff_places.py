"""The back office's navigation: its groups, the ways to its pages, and which role is shown which of them."""

from __future__ import annotations

from typing import NamedTuple


class StaffPlace(NamedTuple):
    """One way. `roles` are those it is shown to: whom the page itself refuses is not led there. None named: all."""

    href: str
    icon: str
    label: str
    roles: tuple[str, ...] = ()


# One line for a page; the page's own guard decides who may in.
STAFF_PLACES: dict[str, tuple[StaffPlace, ...]] = {
    "": (
        StaffPlace("/admin", "home", "Overview"),
        StaffPlace("/admin/customers", "users", "Customers"),
        StaffPlace("/admin/subscriptions", "plan", "Subscriptions"),
    ),
    "Money": (
        StaffPlace("/admin/transactions", "swap", "Transactions"),
        StaffPlace("/admin/balances", "wallet", "Balances"),
        StaffPlace("/admin/invoices", "invoice", "Invoices"),
        StaffPlace("/admin/adjustments", "swap", "Adjustments"),
        StaffPlace("/admin/refunds", "return", "Refunds"),
        StaffPlace("/admin/disputes", "flag", "Disputes"),
    ),
    "Catalogue": (
        StaffPlace("/admin/catalogue", "star", "Catalogue"),
        StaffPlace("/admin/plans", "plan", "Plans"),
        StaffPlace("/admin/coupons", "tagi", "Coupons"),
        StaffPlace("/admin/packs", "pack", "Credit packs"),
        StaffPlace("/admin/meters", "usage", "Meters"),
        StaffPlace("/admin/actions", "credits", "Actions"),
        StaffPlace("/admin/services", "wallet", "Services"),
        StaffPlace("/admin/llm-prices", "usage", "Model prices"),
        StaffPlace("/admin/check-in", "checkin", "Check-in"),
        StaffPlace("/admin/tax-rates", "invoice", "Tax rates"),
    ),
    "Operations": (
        StaffPlace("/admin/channels", "card", "Channels"),
        StaffPlace("/admin/webhooks", "hook", "Webhooks"),
        StaffPlace("/admin/outgoing", "out", "Outgoing"),
        StaffPlace("/admin/jobs", "retry", "Jobs"),
        StaffPlace("/admin/reconciliations", "retry", "Reconciliations"),
        StaffPlace("/admin/books", "log", "Books"),
        StaffPlace("/admin/activity", "clock", "Audit log"),
    ),
    "Staff": (
        StaffPlace("/admin/staff", "team", "Staff", ("admin",)),
        StaffPlace("/admin/settings", "log", "Settings", ("admin",)),
    ),
}
STAFF_TABS: tuple[StaffPlace, ...] = (
    StaffPlace("/admin", "home", "Overview"),
    StaffPlace("/admin/customers", "users", "Customers"),
    StaffPlace("/admin/transactions", "swap", "Transactions"),
    StaffPlace("/admin/webhooks", "hook", "Webhooks"),
)


def shown_to(role: str) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """The groups as this role sees them; one with nothing in it is left out."""
    groups = {title: _shown(places, role) for title, places in STAFF_PLACES.items()}
    return {title: places for title, places in groups.items() if places}


def tabs_of(role: str) -> tuple[tuple[str, str, str], ...]:
    """The shortcuts at the foot of a small screen."""
    return _shown(STAFF_TABS, role)


def _shown(places: tuple[StaffPlace, ...], role: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((place.href, place.icon, place.label) for place in places if not place.roles or role in place.roles)
