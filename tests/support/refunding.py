"""A customer who is paid back, in tests: their wallet, and the provider it is topped up through."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import clock, coupons, ledger
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import refund, refund_top_up, settle
from app.flows.refund_top_up import Wish
from app.money import Money
from app.notices.models import Notice
from app.payments import orders, returned, settling
from app.payments.models import Refund
from app.wallet import debit, topups
from app.wallet.accounts import wallet_of
from tests.support.fake_refunds import RefundProvider
from tests.support.payments import wallet_minor


class Wallet:
    """A customer's wallet and the provider it is topped up through."""

    def __init__(
        self, session: Session, fake: RefundProvider, customer_id: str, tells: Any, sessions: sessionmaker[Session]
    ) -> None:
        self.session, self.fake, self.customer_id, self.tells, self.sessions = (
            session,
            fake,
            customer_id,
            tells,
            sessions,
        )

    def tops_up(self, minor: int, payment: str = "pay_1", *, tax: int = 0, kind: str = "topup") -> str:
        """A top-up that was paid and credited; the transaction's id."""
        self.fake.paid[payment] = minor + tax
        about = {"kind": kind, "amount_minor": minor, "currency": "usd", "channel": self.fake.name}
        with transaction(self.session):
            order = orders.open_order(
                self.session, customer_id=self.customer_id, form_key=payment, created_by="usr_1", **about
            )
            settling.answered(self.session, order, payment)
            returned.locked(self.session, self.fake.name, payment).tax_minor = tax
            entry = topups.credit(self.session, order, payment_id=payment, channel=self.fake.name)
            orders.pay(self.session, order, payment, at=clock.now())
            return entry.id

    def tops_up_with_bonus(self, payment: str = "pay_1", kind: str = "percent", value: int = 10) -> None:
        """$50 with a coupon's bonus on top: so many percent of it, or credits."""
        self.tops_up(5000, payment)
        with transaction(self.session):
            terms = Terms(payment.upper(), kind, value, Limits("On top"), scope={"topups": True})
            code = issue.make(self.session, terms, actor="staff:usr_ann").code
            order, price = self.order(payment), Money(5000, "usd")
            coupons.reserve(self.session, code, customer_id=self.customer_id, what="topup", price=price, key=order)
            coupons.redeem(self.session, self.customer_id, order)

    def entry(self, payment: str = "pay_1") -> str:
        with transaction(self.session):
            found = ledger.find_entry(self.session, self.customer_id, f"topup:{self.fake.name}:{payment}")
            assert found is not None
            return found.id

    def order(self, payment: str) -> str:
        """The order that this payment paid."""
        found = returned.find(self.session, self.fake.name, payment)
        assert found is not None
        return found.order_id

    def spends(self, minor: int, key: str = "spent") -> None:
        with transaction(self.session):
            debit.debit(self.session, self.customer_id, minor * 10_000, description="Work", key=key, by="key_1")

    def refunds(
        self, minor: int | None = None, *, key: str = "k", payment: str = "pay_1", staff: bool = False
    ) -> Refund:
        wish = Wish(self.entry(payment), key, "usr_1", "Not needed", minor, by_staff=staff)
        return refund_top_up.start(self.session, self.providers, self.customer_id, wish)

    def hears(self, **more: Any) -> None:
        """The provider tells of a refund."""
        self.tells("refund", None, **more)
        self.works()

    def works(self) -> None:
        settle.apply_pending(self.sessions, self.providers)

    def goes_on(self) -> int:
        return refund.continue_due(self.sessions, self.providers)

    @property
    def providers(self) -> dict[str, Any]:
        return {self.fake.name: self.fake}

    @property
    def minor(self) -> int:
        return wallet_minor(self.session, self.customer_id)

    def states(self) -> list[str]:
        with transaction(self.session):
            return list(self.session.scalars(select(Refund.state).order_by(Refund.created_at, Refund.id)))

    def told(self) -> list[str]:
        with transaction(self.session):
            return list(self.session.scalars(select(Notice.kind).order_by(Notice.id)))

    def books_are_right(self) -> bool:
        """No fault in them, and what went back by the books is what the provider says went back."""
        with transaction(self.session):
            assert not ledger.audit(self.session, full=True).faults
            rows = {row.account: row.balance for row in ledger.trial_balance(self.session) if row.asset == "usd"}
        waiting = rows.get("refunds", 0)
        paid = sum(minor for name, minor in self.fake.paid.items() if name in self.credited())
        return -rows["cash:stripe"] // 10_000 == paid - self.gone() and waiting == 0

    def credited(self) -> set[str]:
        with transaction(self.session):
            lines = ledger.history(self.session, wallet_of(self.customer_id), kinds=["topup"])
            return {line.data["payment"] for line in lines}

    def gone(self) -> int:
        return sum(self.fake.gone(name) for name in self.fake.made)
