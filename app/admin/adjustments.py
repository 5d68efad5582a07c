"""Staff: adjusting a wallet. Before and after are shown before the button works, and the customer reads the reason."""

from __future__ import annotations

from flask import Blueprint, Response

from app import ledger
from app.admin.adjusting import AdjustmentForm, Desk
from app.admin.customers import load
from app.admin.roles import staff_moves_money
from app.extensions import db
from app.http.filters import default_currency, exact
from app.http.forms import MoneyField
from app.http.proof import recently_proved
from app.money import minor_to_micros
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_adjustments", __name__)

MOST = 100_000_000  # minor units: a million dollars; more than that by hand is a typing mistake


class WalletAdjustmentForm(AdjustmentForm):
    """Money is typed, and confirmed in minor units."""

    amount = MoneyField(minimum=1, maximum=MOST, id="amount")

    @property
    def count(self) -> int | None:
        return self.amount.minor


@pages.get("/admin/customers/<customer_id>/adjust")
@staff_moves_money
def new(customer_id: str) -> Response:
    """The empty form, as a page or for the dialog on the customer's page."""
    return DESK.new(load(customer_id))


@pages.get("/admin/customers/<customer_id>/adjust/preview")
@staff_moves_money
def preview(customer_id: str) -> Response:
    """Before and after for what is typed so far."""
    return DESK.preview(load(customer_id))


@pages.post("/admin/customers/<customer_id>/adjust")
@staff_moves_money
@recently_proved
def create(customer_id: str) -> Response:
    """Adjust once per form."""
    return DESK.create(load(customer_id))


def _there(customer_id: str) -> tuple[int, int]:
    balance = ledger.balance(db.session, wallet_of(customer_id, default_currency()))
    return balance.balance, balance.available


DESK = Desk(
    blueprint="admin_adjustments",
    what="wallet",
    typed="amount",
    reads="on their statement",
    done="on the wallet of",
    form=WalletAdjustmentForm,
    asset=default_currency,
    there=_there,
    unit=lambda minor: minor_to_micros(minor, default_currency()),
    limit=lambda settings: settings.adjustment_limit,
    said=exact,
    figure=exact,
)
