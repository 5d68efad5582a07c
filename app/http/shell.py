"""The frame around signed-in pages: whose pages they are, and the ways to the others that exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, g, request
from flask_login import current_user

from app.customers import members
from app.customers.signed_in import SignedIn
from app.extensions import db
from app.http import staff_places
from app.http.filters import currency_name, reader_zone
from app.notices import reads

Place = tuple[str, str, str]  # address, icon, label

CUSTOMER_PLACES: dict[str, tuple[Place, ...]] = {
    "": (
        ("/", "home", "Overview"),
        ("/usage", "usage", "Usage"),
        ("/plan", "plan", "Plan"),
        ("/wallet", "wallet", "Wallet"),
        ("/credits", "credits", "Credits"),
        ("/invoices", "invoice", "Invoices"),
        ("/check-in", "checkin", "Check-in"),
        ("/notices", "bell", "Notices"),
    ),
    "Settings": (
        ("/payment-methods", "card", "Payment methods"),
        ("/team", "team", "Team"),
        ("/api-keys", "key", "API keys"),
        ("/profile", "users", "Profile"),
    ),
}
CUSTOMER_TABS: tuple[Place, ...] = (
    ("/", "home", "Overview"),
    ("/usage", "usage", "Usage"),
    ("/wallet", "wallet", "Wallet"),
    ("/invoices", "invoice", "Invoices"),
)


@dataclass(frozen=True)
class Link:
    href: str
    icon: str
    label: str
    current: bool = False
    tally: str = ""  # beside the label: what waits there


@dataclass(frozen=True)
class Group:
    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Shell:
    """What `_layout/base.html` needs to know. `customers` are pairs of id and name this user may switch between."""

    signed_in: bool
    staff: bool
    home: str
    title: str
    subtitle: str
    customer_id: str | None
    customers: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    tabs: tuple[Link, ...]
    other_side: Link | None
    back: Link | None  # to the host product, for whom it brought here
    currency_name: str
    zone_name: str


def register(app: Flask) -> None:
    """Templates call `shell()` and `chosen_theme()`."""
    app.jinja_env.globals.update(shell=shell, chosen_theme=chosen_theme)


def chosen_theme() -> str:
    """light or dark when the reader chose one, else an empty string and the system decides."""
    theme = request.cookies.get("theme", "")
    return theme if theme in ("light", "dark") else ""


def shell() -> Shell:
    """The frame of this request's page, made once."""
    made: Shell | None = g.get("shell")
    if made is None:
        made = g.shell = _made()
    return made


def _made() -> Shell:
    person: SignedIn | None = current_user._get_current_object() if current_user.is_authenticated else None  # noqa: SLF001
    at_admin = request.path == "/admin" or request.path.startswith("/admin/")
    # Somebody else who tries such an address is told no in their own frame, with a way back that they may take.
    staff = at_admin and person is not None and person.staff_role is not None
    title, subtitle = _whose(person, staff)
    return Shell(
        signed_in=person is not None,
        staff=staff,
        home="/admin" if staff else "/",
        title=title,
        subtitle=subtitle,
        customer_id=person.customer_id if person else None,
        customers=_customers(person, staff),
        groups=_groups(*_ways(person, staff)),
        tabs=_links(staff_places.tabs_of(_role(person)) if staff else CUSTOMER_TABS),
        other_side=_other_side(person, staff),
        back=_back(person),
        currency_name=currency_name(),
        zone_name=reader_zone().key,
    )


def _ways(person: SignedIn | None, staff: bool) -> tuple[dict[str, tuple[Place, ...]], dict[str, str]]:
    """The groups of the navigation, and what waits at which of their addresses."""
    return (staff_places.shown_to(_role(person)), {}) if staff else (_customer_places(person), _tallies(person))


def _role(person: SignedIn | None) -> str:
    return (person.staff_role or "") if person else ""


def _customer_places(person: SignedIn | None) -> dict[str, tuple[Place, ...]]:
    """Their own profile is not open to whom the host product brought here."""
    if person is None or not person.bound:
        return CUSTOMER_PLACES
    return {
        title: tuple(place for place in group if place[0] != "/profile") for title, group in CUSTOMER_PLACES.items()
    }


def _whose(person: SignedIn | None, staff: bool) -> tuple[str, str]:
    """What stands at the top of the navigation: the customer and the person, or the back office and the role."""
    if person is None:
        return "", ""
    if staff:
        return "Back office", f"{person.name}, {person.staff_role}" if person.staff_role else person.name
    return (person.customer_name, person.name) if person.customer_name else (person.name, person.email)


def _customers(person: SignedIn | None, staff: bool) -> tuple[tuple[str, str], ...]:
    alone = person is None or staff or person.bound or person.looks_on is not None
    return () if person is None or alone else tuple(members.of_user(db.session(), person.id))


def _other_side(person: SignedIn | None, staff: bool) -> Link | None:
    if person is None:
        return None
    if staff:
        return Link("/", "swap", "Customer view") if person.customer_id else None
    return Link("/admin", "swap", "Back office") if person.staff_role else None


def _back(person: SignedIn | None) -> Link | None:
    """`Back to app.example.com`; the address was checked when the link was made."""
    if person is None or person.return_url is None:
        return None
    return Link(person.return_url, "back", f"Back to {urlsplit(person.return_url).hostname}")


def _tallies(person: SignedIn | None) -> dict[str, str]:
    """What waits at which address: how many notices are unread."""
    unread = reads.unread(db.session(), person.customer_id) if person and person.customer_id else 0
    return {"/notices": f"{unread if unread < reads.MOST_COUNTED else '99+'} new"} if unread else {}


def _groups(places: dict[str, tuple[Place, ...]], tallies: Mapping[str, str]) -> tuple[Group, ...]:
    return tuple(Group(title, _links(entries, tallies)) for title, entries in places.items())


def _links(places: tuple[Place, ...], tallies: Mapping[str, str] | None = None) -> tuple[Link, ...]:
    known = tallies or {}
    return tuple(Link(href, icon, label, _here(href), known.get(href, "")) for href, icon, label in places)


def _here(href: str) -> bool:
    fronts = ("/", "/admin")  # every address lies under one of them, and is not their page
    return request.path == href or (href not in fronts and request.path.startswith(href + "/"))
