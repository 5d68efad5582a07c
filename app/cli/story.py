"""The people of the demo and what happened to them: told once, through the same verbs that customers and staff use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.orm import Session

from app import adjustments
from app.adjustments import Wish
from app.cli import credit_story, model_story, plan_story, shop, usage_story
from app.cli.past import Happening, Past
from app.config import Settings
from app.customers import api_keys, members
from app.db import transaction
from app.flows import sign_up
from app.invoices import buyers
from app.invoices.buyers import Details
from app.money import minor_to_micros
from app.people import email_links, passwords, staff, users
from app.people.models import User
from app.wallet import charges, holds
from app.wallet.debit import debit

PASSWORD = "purser-demo"  # of people who exist in demos and tests only; `seed` refuses production
CENT, DOLLAR = 10_000, 1_000_000  # micros


@dataclass(frozen=True)
class Person:
    """Someone who can sign in, and why one would."""

    name: str
    email: str
    about: str
    role: str = ""


ADA = Person("Ada Moreau", "ada@example.com", "a plan paid from a wallet with four months of history (Alder & Finch)")
BO = Person("Bo Lindqvist", "bo@example.com", "an empty wallet (Birch Studio)")
CY = Person("Cy Tanaka", "cy@example.com", "a plan by card, and a card that declines (Calder Robotics)")
MEI = Person("Mei Osei", "mei@example.com", "reads Ada's billing, may not spend (Alder & Finch)")
STAFF = (
    Person("Sol Reyes", "support@example.com", "back office, reads", "support"),
    Person("Theo Marsh", "finance@example.com", "back office, adjusts and replays", "finance"),
    Person("Ola Berg", "admin@example.com", "back office, everything", "admin"),
)
EVERYONE = (ADA, BO, CY, MEI, *STAFF)

BUYER = Details(
    name="Alder & Finch Ltd",
    customer_type="business",
    line1="48 Mill Road",
    postal_code="LS9 8AX",
    city="Leeds",
    country="GB",
    tax_id="GB987654321",
)
RUNS = (
    ("Render, catalogue spread", 184),
    ("Render, winter lookbook", 412),
    ("Overnight batch", 1265),
    ("Image upscaling, 240 files", 96),
    ("Agent run, product copy", 233),
    ("Agent run, alt texts", 58),
    ("Nightly import", 327),
)


@dataclass
class Told:
    """What a seeding made: keys by name, each shown this once; empty when everyone was there already."""

    keys: dict[str, str] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)


def tell(session: Session, settings: Settings) -> Told:
    """Make everyone who is not there yet, and live through their past. Safe to run again."""
    past, told = Past(session, settings), Told()
    with past.at(130):
        shop.stock(session, settings)
    password_hash = passwords.hashed(PASSWORD)
    for person in STAFF:
        if users.by_email(session, person.email) is None:
            _hire(past, person, password_hash)
            told.people.append(person.email)
    credit_story.of_the_shop(past)
    for person, live in ((ADA, _ada), (BO, _bo), (CY, _cy)):
        if users.by_email(session, person.email) is None:
            live(past, told, password_hash)
            told.people.append(person.email)
    return told


def _hire(past: Past, person: Person, password_hash: str) -> None:
    with past.at(130), transaction(past.session) as session:
        user = users.create(
            session, name=person.name, email=person.email, password_hash=password_hash, verified=True, actor="system"
        )
        assert user is not None, "nobody had this address a moment ago"
        staff.set_role(session, user, person.role, actor="system")


def _ada(past: Past, told: Told, password_hash: str) -> None:
    ada, customer_id = _joins(past, ADA, "Alder & Finch", days_ago=123)
    with past.at(122), transaction(past.session) as session:
        buyers.set_buyer(session, customer_id, BUYER, actor=ada.id)
    happened: list[Happening] = [
        (119, lambda: past.top_up(customer_id, 20_000, by=ada.id)),
        (61, lambda: past.top_up(customer_id, 15_000, by=ada.id)),
        (45, lambda: _goodwill(past, customer_id)),
        (30, lambda: past.top_up(customer_id, 12_000, by=ada.id)),
        (24, lambda: _buys_skill(past, customer_id)),
    ]
    for number in range(54):
        title, cents = RUNS[number % len(RUNS)]
        run = partial(_runs, past, customer_id, title, cents * CENT, f"run-{number}")
        happened.append((118 - 2 * number - number // 6, run))
    plan = plan_story.from_the_wallet(past, customer_id, by=ada.id)
    happened += [*plan, *credit_story.grants(past, plan), *credit_story.of_ada(past, customer_id, by=ada.id)]
    happened += usage_story.of_ada(past, customer_id, plan_begins=plan_story.BEGINS, by=_theo(past))
    happened += [(20, lambda: _keys_of_ada(past, told, ada, customer_id)), *model_story.of_ada(past, customer_id)]
    _live(past, happened)
    _team_of_ada(past, told, ada, customer_id, password_hash)
    with past.at(0, hour=0), transaction(past.session) as session:
        holds.authorise(
            session,
            customer_id,
            6 * DOLLAR,
            description="Render job 4417",
            key="seed",
            by="seed",
            expires_in=holds.LONGEST,
        )


def _bo(past: Past, _told: Told, _password_hash: str) -> None:
    bo, customer_id = _joins(past, BO, "Birch Studio", days_ago=12)
    credit = minor_to_micros(past.settings.signup_credit, past.settings.currency)
    happened: list[Happening] = [(6, lambda: past.abandoned_top_up(customer_id, 2_500, by=bo.id))]
    if credit > 3 * DOLLAR:
        happened.append((10, lambda: _runs(past, customer_id, "Agent run, product copy", 3 * DOLLAR, "run-1")))
        happened.append((8, lambda: _runs(past, customer_id, "Agent run, alt texts", credit - 3 * DOLLAR, "run-2")))
    _live(past, happened + usage_story.of_bo(past, customer_id) + credit_story.of_bo(past, customer_id, by=bo.id))


def _cy(past: Past, _told: Told, _password_hash: str) -> None:
    cy, customer_id = _joins(past, CY, "Calder Robotics", days_ago=40)
    declined = "Your card has insufficient funds."
    _live(
        past,
        [
            (38, lambda: past.top_up(customer_id, 2_500, by=cy.id)),
            (30, lambda: _runs(past, customer_id, "Overnight batch", 1_265 * CENT, "run-1")),
            (9, lambda: _runs(past, customer_id, "Render, winter lookbook", 1_580 * CENT, "run-2")),
            (2, lambda: past.declined_top_up(customer_id, 5_000, by=cy.id, message=declined)),
            (1, lambda: past.declined_top_up(customer_id, 5_000, by=cy.id, message=declined)),
            *usage_story.of_cy(past, customer_id),
            *credit_story.of_cy(past, customer_id, by=cy.id),
        ],
    )


def _joins(past: Past, person: Person, company: str, *, days_ago: int) -> tuple[User, str]:
    """Sign up and follow the link that was mailed."""
    session = past.session
    with past.at(days_ago, hour=8):
        user = sign_up.sign_up(
            session, past.settings, name=person.name, email=person.email, password=PASSWORD, company=company
        )
        assert user is not None, "nobody had this address a moment ago"
        with transaction(session):
            token = email_links.issue(session, user, "verify", user.email)
        sign_up.verify(session, past.settings, token)
        past.throw_mail_away()
    return user, members.of_user(session, user.id)[0][0]


def _live(past: Past, happened: Sequence[Happening]) -> None:
    """Each at ten o'clock of its day, the oldest first: the books never run backwards."""
    for days_ago, verb in sorted(happened, key=lambda each: -each[0]):
        with past.at(days_ago):
            verb()


def _runs(past: Past, customer_id: str, title: str, micros: int, key: str) -> None:
    with transaction(past.session) as session:
        currency = past.settings.currency
        debit(session, customer_id, micros, description=title, key=f"seed-{key}", by="seed", currency=currency)


def _buys_skill(past: Past, customer_id: str) -> None:
    settings = past.settings
    price = charges.at_list_price(
        "translate",
        4 * DOLLAR,
        publisher="lingua",
        commission_percent=settings.commission_percent,
        currency=settings.currency,
    )
    with transaction(past.session) as session:
        charges.charge(
            session, customer_id, price, description=None, key="seed-skill", by="seed", currency=settings.currency
        )


def _goodwill(past: Past, customer_id: str) -> None:
    with transaction(past.session) as session:
        reason, by = "Goodwill, slow renders on Monday", _theo(past)
        wish = Wish(customer_id, past.settings.currency, 12_500_000, reason, "seed-goodwill")
        adjustments.ask(session, wish, by=by, person=by.removeprefix("staff:"), limit=None)


def _theo(past: Past) -> str:
    """Finance, as the actor of what staff agreed or gave."""
    theo = users.by_email(past.session, STAFF[1].email)
    assert theo is not None, "staff are hired first"
    return f"staff:{theo.id}"


def _team_of_ada(past: Past, told: Told, ada: User, customer_id: str, password_hash: str) -> None:
    with past.at(20), transaction(past.session) as session:
        mei = users.create(session, name=MEI.name, email=MEI.email, password_hash=password_hash, verified=True)
        if mei is not None:
            members.join(session, customer_id, mei, "read", actor=ada.id)
            told.people.append(MEI.email)


def _keys_of_ada(past: Past, told: Told, ada: User, customer_id: str) -> None:
    with transaction(past.session) as session:
        _, told.keys["ada"] = api_keys.create_customer_key(
            session, customer_id, name="Production", permissions=("billing:read", "billing:write"), made_by=ada.id
        )
        _, told.keys["service"] = api_keys.create_service_key(session, name="Host product")
