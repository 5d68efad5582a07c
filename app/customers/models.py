"""Customers' tables: the paying organisation, who belongs to it, who is invited, and the keys of programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

PERMISSIONS = ("read", "write", "owner")  # each includes those before it
_PERMISSION = "permission IN ('read', 'write', 'owner')"


class Customer(Base):
    """The paying organisation. `external_id` is what the host product calls it."""

    __tablename__ = "customer"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(index=True)  # where notices about money go
    external_id: Mapped[str | None] = mapped_column(unique=True)
    time_zone: Mapped[str] = mapped_column(default="UTC")
    created_at: Mapped[datetime]


class Membership(Base):
    """A user belongs to a customer, with one permission: read, write (includes read) or owner (includes both)."""

    __tablename__ = "membership"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), primary_key=True, index=True)
    permission: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint(_PERMISSION, name="permission"),)


class Invitation(Base):
    """An offer of membership, mailed as a link. Open until accepted, withdrawn or expired."""

    __tablename__ = "invitation"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str]
    permission: Mapped[str]
    token_hash: Mapped[str] = mapped_column(String(64), index=True)
    invited_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(_PERMISSION, name="permission"),
        UniqueConstraint("customer_id", "token_hash"),
    )


class PortalLink(Base):
    """A link the host product had made for a user it signed in itself, stored as a hash. Good once, for minutes."""

    __tablename__ = "portal_link"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"))
    token_hash: Mapped[str] = mapped_column(String(64), index=True)
    path: Mapped[str] = mapped_column(String(1000))  # the page of ours it leads to
    return_url: Mapped[str | None] = mapped_column(String(2000))
    made_by: Mapped[str]  # the service key
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("customer_id", "token_hash"),)


class ApiKey(Base):
    """What a program signs in with. The key itself is shown once; only its hash, prefix and last 4 are kept.

    kind "customer" acts for its customer, "service" is the host product's, "staff" the back office's; the last two
    belong to no customer and are filed under "house".
    """

    __tablename__ = "api_key"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    prefix: Mapped[str]
    last4: Mapped[str]
    key_hash: Mapped[str] = mapped_column(String(64), index=True)
    permissions: Mapped[list[Any]]  # customer: billing:read, billing:write; service: scopes; staff: its role
    created_by: Mapped[str | None]  # the user whose permissions bound it; None: made on the command line
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]  # to the hour: enough to see that a key is unused
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('customer', 'service', 'staff')", name="kind"),
        UniqueConstraint("customer_id", "key_hash"),
        Index("ix_api_key_customer_id_created_at", "customer_id", "created_at"),
    )

    @property
    def environment(self) -> str:
        """`test` for a key of the customer's sandbox, else `live`: the key's own text says which (SPEC P4)."""
        return "test" if self.prefix == "pur_test_" else "live"


class SignupClaim(Base):
    """A person who had the sign-up credit, as a hash: another spelling gets it no second time (W1)."""

    __tablename__ = "signup_claim"

    person_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[str]
    claimed_at: Mapped[datetime]
