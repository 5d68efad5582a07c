"""People's tables: users, their sessions and second factors, and the links they were mailed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

STAFF_ROLES = ("support", "finance", "admin")


class User(Base):
    """A person. `email_key` is the address as we compare it; `email` is how they wrote it."""

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    staff_role: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default="UTC")
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_signed_in_at: Mapped[datetime | None]  # by themselves, not by a link of the host product

    __table_args__ = (
        CheckConstraint("staff_role IN ('support', 'finance', 'admin')", name="staff_role"),
        Index(
            "ix_user_account_staff",  # of all people few are staff
            "name",
            "id",
            sqlite_where=text("staff_role IS NOT NULL"),
            postgresql_where=text("staff_role IS NOT NULL"),
        ),
    )


class LoginSession(Base):
    """One browser, signed in. Ending it deletes the row, so a copied cookie is worth nothing afterwards."""

    __tablename__ = "login_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)  # what the page that ends single sessions may show
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), index=True)
    customer_id: Mapped[str | None]  # the membership chosen; it is checked on every request, not trusted
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    address: Mapped[str]
    browser: Mapped[str]
    bound_to: Mapped[str | None]  # opened by the host product: this customer and nothing else
    return_url: Mapped[str | None] = mapped_column(String(2000))  # where the host product wants them back
    proved_at: Mapped[datetime | None]  # when its person last proved who they are; None: the host product said so
    viewing_customer_id: Mapped[str | None]  # staff who look on as this customer, and change nothing meanwhile
    viewing_until: Mapped[datetime | None]


class HalfSignIn(Base):
    """The password was right, and a code is still to come. It opens nothing, being no session: it has its own table."""

    __tablename__ = "half_sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]


class SecondFactor(Base):
    """The secret that an authenticator app shares with us, sealed. It counts from `confirmed_at` on."""

    __tablename__ = "second_factor"

    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    sealed: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger)  # of the newest code used: neither it nor an older one counts


class RecoveryCode(Base):
    """One way in without the authenticator app, kept as a hash, good once."""

    __tablename__ = "recovery_code"

    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None]


class EmailToken(Base):
    """A link we mailed, stored as a hash: it proves that whoever follows it reads that mailbox. Good once."""

    __tablename__ = "email_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"))
    purpose: Mapped[str]  # verify | reset
    email: Mapped[str]  # the address it was sent to, which "verify" makes the user's own
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("purpose IN ('verify', 'reset')", name="purpose"),
        Index("ix_email_token_user_id_purpose", "user_id", "purpose"),
    )
