"""`/v1/charges`: services billed to the wallet, at list price or at cost plus a markup (SPEC U8, §12.4)."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from app.api import amounts, calls
from app.api.answers import Transaction, transaction_of
from app.api.values import Body, Line, Micros
from app.errors import Invalid
from app.extensions import db
from app.subscriptions import percentages
from app.subscriptions.percentages import Percentages
from app.wallet import charges as prices
from app.wallet.charges import Charge

charges = calls.group("api_charges", "Charges", "Bill a service to a wallet.")


class NewCharge(Body):
    model_config = amounts.one_of(
        "list_price_micros",
        "cost_micros",
        example={"service": "translate", "list_price_micros": 120_000, "publisher": "acme"},
    )

    service: str = Field(min_length=1, max_length=64, description="What was used: a skill's name, compute, identity.")
    list_price_micros: Micros | None = Field(default=None, description="The publisher's price.")
    cost_micros: Micros | None = Field(default=None, description="What it cost upstream.")
    description: Line | None = Field(default=None, description="What the customer reads.")
    publisher: str | None = Field(
        default=None, min_length=1, max_length=64, description="Who is owed the list price, net of our commission."
    )


@charges.post("/v1/charges", responses={200: Transaction})
@calls.call("charges:write", kinds=("service",), keyed=True)
def create(body: NewCharge) -> Response:
    """Bill a service to a wallet

    With `list_price_micros` the customer pays the list price; with `cost_micros` the upstream cost and our markup.
    """
    priced = _priced(body)  # before the committer, which ends what this request has read
    entry = prices.charge(
        calls.committer(),
        calls.customer_id(),
        priced,
        description=body.description,
        key=calls.key(),
        by=calls.caller().key_id,
        currency=calls.currency(),
    )
    return calls.reply(transaction_of(entry, calls.currency()), replayed=entry.replayed)


def _priced(body: NewCharge) -> Charge:
    settings = calls.settings()
    ours = Percentages(settings.markup_percent, settings.commission_percent)
    theirs = percentages.of_service(db.session(), calls.customer_id(), body.service, default=ours)
    if body.list_price_micros is not None:
        if body.cost_micros is not None:
            raise Invalid("Send list_price_micros or cost_micros, not both.", field="cost_micros")
        return prices.at_list_price(
            body.service,
            body.list_price_micros,
            publisher=body.publisher,
            commission_percent=theirs.commission,
            currency=settings.currency,
        )
    if body.cost_micros is None:
        raise Invalid("Send list_price_micros or cost_micros.", field="list_price_micros")
    if body.publisher is not None:
        raise Invalid("A service at cost has no publisher.", field="publisher")
    return prices.at_cost_plus(body.service, body.cost_micros, markup_percent=theirs.markup, currency=settings.currency)
