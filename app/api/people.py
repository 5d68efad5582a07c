"""`/v1/customers`: the host product opens customers and finds them again (SPEC §12.4)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from app import clock
from app.api import calls
from app.api.answers import CustomerId, Instant
from app.api.values import Answer, Body
from app.customers import customers
from app.customers.models import Customer
from app.errors import NotFound
from app.extensions import db
from app.flows import open_customer

api_customers = calls.group("api_customers", "Customers", "Open customers and find them again.")

ExternalId = Annotated[str, Field(min_length=1, max_length=200, examples=["team-42"])]


class NewCustomer(Body):
    name: str = Field(min_length=1, max_length=100, examples=["Alder & Finch"])
    email: str = Field(min_length=3, max_length=254, description="Where notices go.", examples=["ada@example.com"])
    external_id: ExternalId | None = Field(default=None, description="What you call the customer.")


class CustomerAnswer(Answer):
    """The paying organisation."""

    id: CustomerId
    name: str = Field(examples=["Alder & Finch"])
    email: str = Field(examples=["ada@example.com"])
    external_id: str | None = Field(examples=["team-42"])
    created_at: Instant


class CustomerPath(BaseModel):
    customer_id: str = Field(max_length=200)


@api_customers.post("/v1/customers", responses={201: CustomerAnswer, 200: CustomerAnswer})
@calls.call("customers:write", kinds=("service",), for_a_customer=False)
def create(body: NewCustomer) -> Response:
    """Open a customer, with an empty wallet and the free plan's welcome credits

    201 for a new one. The same `external_id` again, with the same name and address, answers 200 and the customer there
    is; with others it is refused with 409, and `details.customer` says whose it is. Moves no money, so it takes no
    Idempotency-Key: send an `external_id`.
    """
    customer, is_new = open_customer.open_customer(
        db.session(),
        name=body.name,
        email=body.email,
        external_id=body.external_id,
        actor=calls.caller().key_id,
        currency=calls.currency(),
    )
    return calls.reply(_told(customer), 201 if is_new else 200)


@api_customers.get("/v1/customers/<customer_id>", responses={200: CustomerAnswer})
@calls.call("billing:read", kinds=("service",), for_a_customer=False)
def show(path: CustomerPath) -> Response:
    """One customer, by our id or by yours"""
    found = customers.by_id(db.session, path.customer_id) or customers.by_external_id(db.session, path.customer_id)
    if found is None:
        raise NotFound("There is no such customer.")
    return calls.reply(_told(found))


def _told(customer: Customer) -> CustomerAnswer:
    return CustomerAnswer(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        external_id=customer.external_id,
        created_at=clock.timestamp(customer.created_at),
    )
