"""Somebody who pays through a provider's stand-in: what they do, what is heard of it, and what is here after it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ledger
from app.customers.models import Customer
from app.db import transaction
from app.flows import buy_pack, refund_top_up, settle, subscribe, sweep, top_up
from app.invoices import Invoice
from app.payments import inbox
from app.payments.models import Order, ProviderEvent
from app.payments.refund_table import Refund
from app.providers.errors import BadPayload, BadSignature
from app.providers.port import Provider
from app.subscriptions.models import Subscription
from app.wallet.accounts import wallet_of
from tests.support.payments import wallet_minor
from tests.support.time import Clock

BACK = "https://purser.example/{order}"


class Patron:
    """What they do, what is heard of it, and what is here after it."""

    def __init__(
        self, session: Session, sessions: Any, payer: Customer, there: Any, adapter: Any, clock: Clock
    ) -> None:
        """`there` is the provider's stand-in, `adapter` what speaks to it."""
        self.session, self.sessions, self.customer = session, sessions, payer
        self.there, self.adapter, self.clock = there, adapter, clock
        self.customer_id = payer.id
        self.providers: dict[str, Provider] = {adapter.name: adapter}

    def tops_up(self, cents: int = 5000, form: str = "form-1") -> Order:
        wanted = {"form_key": form, "return_url": BACK, "actor": "usr_1"}
        return top_up.start(self.session, self.adapter, self.customer, cents, **wanted)

    def buys_pack(self) -> Order:
        wish = buy_pack.Wish("small", "form-pack", "usr_1", BACK, BACK)
        return buy_pack.start(self.session, self.adapter, self.customer, wish)

    def subscribes(self, plan: str = "starter", interval: str = "month") -> Order:
        wanted = {"form_key": f"form-{plan}", "return_url": BACK, "actor": "usr_1"}
        return subscribe.start_checkout(self.session, self.adapter, self.customer, plan, interval, **wanted)

    def pays(self, order: Order, **how: Any) -> Any:
        """What the provider has for our order, once its page was filled in."""
        return self.there.books.pays(self.page_of(order), **how)

    def is_on(self, plan: str = "starter", interval: str = "month") -> None:
        """Subscribed, paid, heard."""
        self.pays(self.subscribes(plan, interval))
        self.hears()

    def asks_back(self, cents: int | None = None) -> Refund:
        """A refund of the only top-up, or of this part of it, as staff would ask for."""
        with transaction(self.session):
            [line] = ledger.history(self.session, wallet_of(self.customer_id), kinds=["topup"])
        wish = refund_top_up.Wish(line.entry_id, "key-1", "usr_1", "Too much", net_minor=cents)
        return refund_top_up.start(self.session, self.providers, self.customer_id, wish)

    def page_of(self, order: Order) -> str:
        with transaction(self.session):
            return str(order.provider_ref)

    def passes(self, **step: int) -> None:
        """Time passes, and the provider does what is due."""
        self.clock.advance(**step)
        self.there.books.does_what_is_due()

    def hears(self, **how: Any) -> None:
        """The news arrives and is applied."""
        self.deliver(**how)
        self.applies()

    def deliver(self, **how: Any) -> None:
        self.there.deliveries.send_due(self.receives, **how)

    def receives(self, body: bytes, headers: dict[str, str]) -> int:
        """What the endpoint does with one delivery."""
        try:
            verified = self.adapter.verify(body, headers)
        except (BadSignature, BadPayload):
            return 400
        with transaction(self.session):
            inbox.keep(self.session, provider=self.adapter.name, verified=verified, body=body, headers=headers)
        return 200

    def applies(self) -> None:
        """All that waits, and what waits for something else after it."""
        for _ in range(4):
            self.clock.advance(milliseconds=1)
            while settle.apply_pending(self.sessions, self.providers):
                pass
            if not self.waiting:
                return
            self.clock.advance(seconds=60)

    def sweeps(self) -> None:
        sweep.sweep(self.sessions, self.providers)
        self.applies()

    @property
    def waiting(self) -> list[str]:
        """News that was not applied yet, or never will be, and why."""
        with transaction(self.session):
            left = select(ProviderEvent).where(ProviderEvent.state.in_(("pending", "dead")))
            return [f"{row.type} {row.state}: {row.error}" for row in self.session.scalars(left)]

    @property
    def wallet(self) -> int:
        """In cents."""
        return wallet_minor(self.session, self.customer_id)

    @property
    def invoices(self) -> list[Invoice]:
        """Oldest first."""
        with transaction(self.session):
            mine = select(Invoice).where(Invoice.customer_id == self.customer_id)
            found = self.session.scalars(mine.execution_options(populate_existing=True))
            return sorted(found, key=lambda each: (each.created_at, each.provider_id or ""))

    @property
    def sub(self) -> Subscription:
        with transaction(self.session):
            mine = select(Subscription).where(Subscription.customer_id == self.customer_id)
            newest = mine.order_by(Subscription.started_at.desc(), Subscription.id.desc())
            found = self.session.scalars(newest.execution_options(populate_existing=True)).first()
        assert found is not None, "there is a subscription"
        return found
