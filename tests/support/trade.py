"""A trade of many customers with one provider, at random: they buy, spend, ask for their money, dispute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ids, ledger
from app.customers.models import Customer
from app.db import transaction
from app.flows import (
    buy_pack,
    refund_request,
    refund_sale,
    refund_top_up,
    subscribe,
    top_up,
)
from app.payments.models import Order
from app.payments.refund_table import Refund
from app.wallet import debit
from app.wallet.accounts import wallet_of
from tests.support.late_news import LateNews

BACK = "https://purser.example/{order}"
_QUIET = 60  # rounds of looking again, before something that still moves is a fault


@dataclass
class Buyer:
    """A customer, and what they know of their own money: in cents, as they paid and spent it."""

    customer: Customer
    payments: list[str] = field(default_factory=list)
    packs: list[tuple[str, str]] = field(default_factory=list)  # the payment and its order
    spent: int = 0
    has_plan: bool = False


class Trade(LateNews):
    """All of it, with so many `buyers`."""

    def __init__(self, *how: Any, buyers: int) -> None:
        super().__init__(*how)
        self._numbers = 0
        self.buyers = [Buyer(self._customer(number)) for number in range(buyers)]

    def _customer(self, number: int) -> Customer:
        with self.sessions() as session:
            with transaction(session):
                made = Customer(
                    id=ids.new("cus"), name=f"C {number}", email=f"c{number}@example.com", created_at=self.clock.now
                )
                session.add(made)
                ledger.open_account(session, wallet_of(made.id))
            session.expunge(made)
            return made

    # What happens.

    def runs(self, purchases: int) -> None:
        """So many purchases, and whatever happens around them; then all that is late or lost is found."""
        happens: list[tuple[Callable[[Buyer], None], int]] = [
            *((self._tops_up, 26), (self._buys_pack, 7), (self._subscribes, 2), (self._spends, 20)),
            *((self._refunds, 7), (self._pack_refunded, 2), (self._balance, 2), (self._there, 5), (self._fails, 3)),
            *((self._disputes, 4), (self._decides, 5), (self._worked, 25), (self._looked_again, 1)),
        ]
        verbs, weights = [verb for verb, _ in happens], [weight for _, weight in happens]
        while self.figures["purchases"] < purchases:
            self.rng.choices(verbs, weights)[0](self.rng.choice(self.buyers))
            self.passes(seconds=self.rng.randrange(240))
            if self.rng.random() < 0.02:
                self.till.passes(hours=self.rng.randrange(1, 12))
        self.comes_to_rest()

    def _form(self) -> str:
        self._numbers += 1
        return f"form-{self._numbers}"

    # What customers do.

    def _tops_up(self, buyer: Buyer) -> None:
        cents, form = self.rng.randrange(1000, 20_000), self._form()
        wanted: dict[str, Any] = {"form_key": form, "return_url": BACK, "actor": "usr_1"}
        order = self.tries(
            "top-ups",
            lambda session, there: top_up.start(session, there[self.channel], buyer.customer, cents, **wanted),
        )
        if payment := self._pays(order):
            buyer.payments.append(payment)

    def _buys_pack(self, buyer: Buyer) -> None:
        wish = buy_pack.Wish("small", self._form(), "usr_1", BACK, BACK)
        order = self.tries(
            "packs", lambda session, there: buy_pack.start(session, there[self.channel], buyer.customer, wish)
        )
        if payment := self._pays(order):
            buyer.packs.append((payment, order.id))

    def _subscribes(self, buyer: Buyer) -> None:
        if buyer.has_plan:
            return
        wanted: dict[str, Any] = {"form_key": self._form(), "return_url": BACK, "actor": "usr_1"}
        order = self.tries(
            "plans",
            lambda session, there: subscribe.start_checkout(
                session, there[self.channel], buyer.customer, "starter", "month", **wanted
            ),
        )
        buyer.has_plan = order is not None
        self._pays(order)

    def _pays(self, order: Order | None) -> str | None:
        if order is None or order.provider_ref is None or self.rng.random() < 0.03:
            return None  # they left the page
        self.figures["purchases"] += 1
        payment = self.till.pays(order.provider_ref)
        if payment:
            self.till.payments.append(payment)
        return payment

    def _spends(self, buyer: Buyer) -> None:
        name, key = wallet_of(buyer.customer.id), self._form()
        with self.sessions() as session, transaction(session):
            there = ledger.balance(session, name).available // 10_000
        cents = self.rng.randrange(1, max(2, there))

        def spend(session: Session, _there: Any) -> Any:
            with transaction(session):
                return debit.debit(session, buyer.customer.id, cents * 10_000, description="Work", key=key, by="key_1")

        if self.tries("spendings", spend, again=1) is not None:
            buyer.spent += cents

    def _refunds(self, buyer: Buyer) -> None:
        """A top-up, by its customer, or by staff."""
        wallet = wallet_of(buyer.customer.id)
        with self.sessions() as session, transaction(session):
            lines = ledger.history(session, wallet, kinds=["topup"], limit=10)
        if not lines:
            return
        cents = self.rng.choice([None, None, self.rng.randrange(1, 2000)])
        wish = refund_top_up.Wish(
            self.rng.choice(lines).entry_id,
            self._form(),
            "usr_1",
            "Not needed",
            cents,
            by_staff=self.rng.random() < 0.5,
        )
        self.tries("refunds", lambda session, there: refund_top_up.start(session, there, buyer.customer.id, wish))

    def _pack_refunded(self, buyer: Buyer) -> None:
        if not buyer.packs:
            return
        cents = self.rng.choice([None, self.rng.randrange(1, 900)])
        wish, order = refund_sale.Wish(self._form(), "usr_9", "Did not fit", cents), self.rng.choice(buyer.packs)[1]
        self.tries("pack refunds", lambda session, there: refund_sale.of_pack(session, there, order, wish))

    def _balance(self, buyer: Buyer) -> None:
        """All of it is asked for, and staff decide."""
        asked: dict[str, Any] = {"reason": "We leave", "key": self._form(), "actor": "usr_1", "currency": "usd"}
        self.tries(
            "balances asked for", lambda session, there: refund_request.ask(session, there, buyer.customer.id, **asked)
        )
        with self.sessions() as session, transaction(session):
            mine = select(Refund.id).where(Refund.customer_id == buyer.customer.id, Refund.state == "requested")
            request = session.scalars(mine.limit(1)).first()
        if request is None:
            return
        if self.rng.random() < 0.3:
            self.tries(
                "denied", lambda session, _t: refund_request.deny(session, request, why="Not now", actor="usr_9")
            )
            return
        self.tries("approved", lambda session, there: refund_request.approve(session, there, request, actor="usr_9"))

    # What happens at the provider.

    def _some(self, what: str, buyer: Buyer, does: Callable[[str], bool]) -> None:
        bought = [*buyer.payments, *(payment for payment, _ in buyer.packs)]
        if bought and does(self.rng.choice(bought)):
            self.figures[what] += 1

    def _there(self, buyer: Buyer) -> None:
        self._some("refunds there", buyer, lambda payment: self.till.refunds(payment, self.rng.randrange(1, 6000)))

    def _fails(self, _buyer: Buyer) -> None:
        self.figures["refunds that failed"] += self.till.fails(self.rng)

    def _disputes(self, buyer: Buyer) -> None:
        self._some("disputes", buyer, lambda payment: self.till.disputes(payment, self.rng))

    def _decides(self, _buyer: Buyer) -> None:
        self.figures["turns of disputes"] += self.till.decides(self.rng)

    def _worked(self, _buyer: Buyer) -> None:
        self.works()

    def _looked_again(self, _buyer: Buyer) -> None:
        self.looks_again()
