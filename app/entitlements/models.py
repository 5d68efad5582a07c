"""Entitlements' tables: the resources a customer holds, and how many there are of each kind."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Resource(Base):
    """Something the host product made for a customer and has not removed (SPEC U5). `id` is the host's own."""

    __tablename__ = "resource"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)  # the key of a count limit
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    acquired_by: Mapped[str]
    acquired_at: Mapped[datetime]


class ResourceCount(Base):
    """How many resources of a kind the customer holds: written with them, so that a check never counts rows.

    Its guarded update is what decides a race for the last place.
    """

    __tablename__ = "resource_count"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    in_use: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("in_use >= 0", name="in_use"),)
