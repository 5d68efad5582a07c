"""Flask's extensions, made once here and bound to the application in `create_app`."""

from __future__ import annotations

from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy.orm import Session

from app.db import Base


class RequestSession(Session):
    """The type of `db.session`: a proxy that behaves as the request's session, and when called gives the session."""

    def __call__(self) -> Session:
        """The request's session."""
        raise NotImplementedError  # the proxy has its own


class Database(SQLAlchemy):
    session: RequestSession  # type: ignore[assignment]


# Models inherit a plain declarative Base, so no domain file knows Flask; this binds it at the edge.
# expire_on_commit=False: reading order.id after the commit must not open a new transaction around a network call.
db = Database(
    metadata=Base.metadata,
    disable_autonaming=True,
    session_options={"expire_on_commit": False, "autoflush": True},
)
login_manager = LoginManager()
csrf = CSRFProtect()
babel = Babel()
htmx = Htmx()
