"""Lemon Squeezy in tests: `lemon` is a stand-in on this machine, `squeezy` the real adapter, `shopper` a customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.catalogue import file, publish
from app.customers.models import Customer
from app.db import transaction
from app.flows import buy_pack, settle, subscribe, sweep, top_up
from app.payments import inbox
from app.payments.models import Order, ProviderEvent
from app.providers import registry
from app.providers.errors import BadPayload, BadSignature
from app.subscriptions.models import Subscription
from tests.support.channels import CHANNELS, every_channel
from tests.support.doubles.lemonsqueezy.server import Lemon, running_lemon
from tests.support.outgoing import refuse_inside_a_transaction
from tests.support.payments import wallet_minor
from tests.support.time import Clock

PLANS = """
[packs.small]
name = "100 credits"
credits = 100
price = "9.00"

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
yearly = "100.00"
provider_ids.lemonsqueezy = {{ monthly = "{starter}" }}

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
provider_ids.lemonsqueezy = {{ monthly = "{growth}" }}
"""
BACK = "https://purser.example/{order}"


@pytest.fixture
def lemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lemon]:
    """A store that answers over HTTP and delivers nothing by itself. Nobody asks it inside a transaction (R4)."""
    real = httpx.HTTPTransport.handle_request

    def outside(self: Any, request: Any) -> Any:
        refuse_inside_a_transaction(f"{request.method} {request.url}")
        return real(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", outside)
    with running_lemon() as running:
        yield running


@pytest.fixture
def squeezy(lemon: Lemon) -> Iterator[Any]:
    adapter = squeezy_adapter(lemon)
    yield adapter
    adapter.close()


def squeezy_adapter(lemon: Lemon, **more: Any) -> Any:
    """An adapter as the registry builds it."""
    known = CHANNELS["lemonsqueezy"].settings | {"lemonsqueezy_api_base": lemon.url}
    known |= {f"lemonsqueezy_{name}": value for name, value in more.items()}
    return registry.build(replace(every_channel(), **known))["lemonsqueezy"]


@pytest.fixture
def shopper(
    session: Session, sessions: sessionmaker[Session], payer: Customer, lemon: Lemon, squeezy: Any, clock: Clock
) -> Shopper:
    """Somebody who pays through Lemon Squeezy."""
    return shopping(session, sessions, payer, lemon, squeezy, clock)


def shopping(
    session: Session, sessions: sessionmaker[Session], payer: Customer, lemon: Lemon, squeezy: Any, clock: Clock
) -> Shopper:
    """The same for any customer, in an installation whose plans name the store's variants."""
    variants = {"starter": lemon.books.variant(1000, "month"), "growth": lemon.books.variant(3000, "month")}
    with transaction(session):
        publish.apply(session, file.read(PLANS.format(**variants), currency="usd"), actor="test")
    return Shopper(session, sessions, payer, lemon, squeezy, clock, variants)


class Shopper:
    """What they do, what they are told, and what is here after it."""

    def __init__(
        self, session: Session, sessions: Any, payer: Customer, lemon: Lemon, squeezy: Any, clock: Clock, variants: Any
    ) -> None:
        self.session, self.sessions, self.customer, self.variants = session, sessions, payer, variants
        self.lemon, self.squeezy, self.clock = lemon, squeezy, clock
        self.customer_id = payer.id
        self.providers = {"lemonsqueezy": squeezy}

    # What they do.

    def tops_up(self, cents: int = 5000, form: str = "form-1") -> Order:
        wanted = {"form_key": form, "return_url": BACK, "actor": "usr_1"}
        return top_up.start(self.session, self.squeezy, self.customer, cents, **wanted)

    def buys_pack(self, form: str = "form-pack") -> Order:
        return buy_pack.start(
            self.session, self.squeezy, self.customer, buy_pack.Wish("small", form, "usr_1", BACK, BACK)
        )

    def subscribes(self, plan: str = "starter") -> Order:
        wanted = {"form_key": f"form-{plan}", "return_url": BACK, "actor": "usr_1"}
        return subscribe.start_checkout(self.session, self.squeezy, self.customer, plan, "month", **wanted)

    def pays(self, order: Order, **how: Any) -> Any:
        with transaction(self.session):
            page = str(order.provider_ref)
        return self.lemon.books.pays(page, **how)

    def is_on(self, plan: str = "starter") -> None:
        """Subscribed, paid, heard."""
        self.pays(self.subscribes(plan))
        self.hears()

    # What happens.

    def passes(self, **step: int) -> None:
        """Time passes, and the store does what is due."""
        self.clock.advance(**step)
        self.lemon.books.does_what_is_due()

    def hears(self, **how: Any) -> None:
        """The news arrives and is applied."""
        self.lemon.deliveries.send_due(self.receives, **how)
        self.applies()

    def receives(self, body: bytes, headers: dict[str, str]) -> int:
        """What the endpoint does with one delivery."""
        try:
            verified = self.squeezy.verify(body, headers)
        except (BadSignature, BadPayload):
            return 400
        with transaction(self.session):
            inbox.keep(self.session, provider="lemonsqueezy", verified=verified, body=body, headers=headers)
        return 200

    def applies(self) -> None:
        """All that waits, and what waits for something else after it."""
        for _ in range(4):
            self.clock.advance(milliseconds=1)
            while settle.apply_pending(self.sessions, self.providers):
                pass
            if not self.waiting():
                return
            self.clock.advance(seconds=60)

    def sweeps(self) -> None:
        sweep.sweep(self.sessions, self.providers)
        self.applies()

    # What is here.

    def waiting(self) -> list[tuple[str, str | None]]:
        """News that was not applied yet, and why."""
        return self._in("pending")

    def dead(self) -> list[tuple[str, str | None]]:
        return self._in("dead")

    def _in(self, state: str) -> list[tuple[str, str | None]]:
        with transaction(self.session):
            rows = self.session.execute(
                select(ProviderEvent.type, ProviderEvent.error).where(ProviderEvent.state == state)
            )
            return [(row.type, row.error) for row in rows]

    @property
    def wallet(self) -> int:
        """In cents."""
        return wallet_minor(self.session, self.customer_id)

    @property
    def sub(self) -> Subscription | None:
        with transaction(self.session):
            mine = select(Subscription).where(Subscription.customer_id == self.customer_id)
            newest = mine.order_by(Subscription.started_at.desc(), Subscription.id.desc())
            return self.session.scalars(newest.execution_options(populate_existing=True)).first()

    def the_sub(self) -> Subscription:
        found = self.sub
        assert found is not None
        return found
