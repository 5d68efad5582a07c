"""The table of deliveries that could not be verified: how many came to a channel on a day, and why not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class RefusedDelivery(Base):
    """Counts of one channel, UTC day and reason. Of what was in the deliveries nothing is kept (SPEC V2)."""

    __tablename__ = "refused_delivery"

    channel: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]
