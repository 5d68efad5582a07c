"""The till of each provider, the fixture that pays there, and how to speak to it from a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from app.sandbox.engine import disputes, refunds
from tests.support.card_paid import Cardholder
from tests.support.creem import creem_adapter
from tests.support.lemon import squeezy_adapter
from tests.support.payments import Buyer, stripe_adapter
from tests.support.polar import polar_adapter
from tests.support.six_events import Said
from tests.support.tills import Creems, Lemons, Polars, Till, Truth


class Stripes(Till):
    """The sandbox, whose every word is kept."""

    who: Cardholder

    def __init__(self, who: Any) -> None:
        super().__init__(who)
        self._seen = 0
        self._charges: dict[str, str] = {}
        self._asked: list[str] = []

    def keeps_pace(self) -> None:
        behind = int(self.who.clock.now.timestamp()) - self.who.sandbox.sandbox.clock.now()
        if behind > 0:
            self.who.sandbox.advance(behind)

    def pays(self, page: str) -> str | None:
        Buyer(self.who.sandbox).pays(page)
        with self.who.sandbox.sandbox.reading() as tx:
            intent = tx.get("checkout.session", page)["payment_intent"]
            if intent is None:
                return None
            self._charges[intent] = tx.get("payment_intent", intent)["latest_charge"]
        return str(intent)

    def news(self) -> list[Said]:
        with self.who.sandbox.sandbox.reading() as tx:
            query = "SELECT seq, body FROM objects WHERE object = 'event' AND seq > ? ORDER BY seq"
            rows = tx.sql.execute(query, (self._seen,)).fetchall()
        self._seen = rows[-1][0] if rows else self._seen
        return [Said(row[1], "") for row in rows]

    def _writing(self) -> Any:
        return self.who.sandbox.sandbox.writing()

    def _case(self, tx: Any, payment: str) -> Any:
        found = tx.every("dispute", charge=self._charges[payment])
        return found[0] if found else None

    def refunds(self, payment: str, cents: int) -> bool:
        with self._writing() as tx:
            charge = tx.get("charge", self._charges[payment])
            cents = min(cents, charge["amount"] - charge["amount_refunded"])
            case = self._case(tx, payment)
            if not cents or (case is not None and not case["is_charge_refundable"]):
                return False
            refunds.refund(tx, charge, cents)
        return True

    def fails(self, rng: Random) -> bool:
        with self._writing() as tx:
            made = [each for each in tx.every("refund", limit=20) if each["status"] == "succeeded"]
            if made:
                refunds.fail(tx, rng.choice(made))
        return bool(made)

    def disputes(self, payment: str, rng: Random) -> bool:
        with self._writing() as tx:
            charge = tx.get("charge", self._charges[payment])
            if self._case(tx, payment) is not None or charge["amount"] == charge["amount_refunded"]:
                return False
            disputes.begin(tx, charge, inquiry=rng.random() < 0.3)
        self._asked.append(payment)
        return True

    def decides(self, rng: Random) -> bool:
        with self._writing() as tx:
            for payment in rng.sample(self._asked, min(5, len(self._asked))):
                case = self._case(tx, payment)
                if case["status"] not in disputes.LIVE:
                    continue
                verbs = [disputes.win, disputes.escalate if case["status"].startswith("warning") else disputes.lose]
                verbs += [disputes.answer] if case["status"].endswith("needs_response") else []
                rng.choice(verbs)(tx, case)
                return True
        return False

    def truth(self, payment: str) -> Truth:
        with self.who.sandbox.sandbox.reading() as tx:
            charge, case = tx.get("charge", self._charges[payment]), self._case(tx, payment)
        moved = case["balance_transactions"] if case else []
        status = case["status"] if case else "none"
        taken, fee = -sum(each["amount"] for each in moved), sum(each["fee"] for each in moved)
        refunded = charge["amount_refunded"]
        return Truth(charge["amount"], refunded, taken, fee, is_lost=status == "lost", is_won=status == "won")

    def planned(self) -> int:
        with self.who.sandbox.sandbox.reading() as tx:
            invoices = tx.every("invoice", limit=100_000)
        return sum(each["amount_paid"] for each in invoices if each["parent"] and each["status"] == "paid")


@dataclass(frozen=True)
class At:
    """`anew` makes an adapter of whoever the fixture is."""

    fixture: str
    till: type[Till]
    anew: Callable[[Any], Any]


TILLS = {
    "stripe": At("cardholder", Stripes, lambda who: stripe_adapter(api_base=who.sandbox.url)),
    "lemonsqueezy": At("shopper", Lemons, lambda who: squeezy_adapter(who.there)),
    "polar": At("patron", Polars, lambda who: polar_adapter(who.there)),
    "creem": At("regular", Creems, lambda who: creem_adapter(who.there)),
}
