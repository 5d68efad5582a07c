"""The log: one JSON line per request and per event, with a request id, and only fields that are known to be harmless.

What may be written is an allow-list, since the next secret's name is not known yet. A page is named by its rule
("/reset-password/<token>"), never by its address, which may hold a secret.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request
from flask_login import current_user
from structlog.typing import EventDict, WrappedLogger

from app import clock

HEADER = "X-Request-ID"
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")

ALLOWED = frozenset(
    {
        "event", "level", "time", "request_id", "method", "rule", "status", "ms", "actor", "customer_id", "code",
        "exception", "subject", "action", "channel", "event_id", "order_id", "attempts", "reference", "logger",
    }
)  # fmt: skip

# Second net: what looks like a secret of ours, a provider's or a browser's, wherever it stands in a text.
_SECRETS = re.compile(
    r"(pur_(?:live|svc|staff)_|[sr]k_(?:live|test)_|whsec_|sk-|Bearer\s+|password=|session=)[^\s\"'&,;]+", re.IGNORECASE
)
# PostgreSQL quotes the row it refuses, whatever stands in it, also over several lines.
_REFUSED_ROW = re.compile(r"DETAIL: .*?(?=\n\[SQL:|\Z)", re.DOTALL)

log = structlog.get_logger("purser")


def register(app: Flask) -> None:
    """Give each request an id and a line in the log."""
    configure()
    app.before_request(_begin)
    app.after_request(_line)
    app.teardown_request(_end)


def configure() -> None:
    """JSON lines to stderr, from structlog and from the standard library alike."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp,
            structlog.processors.format_exc_info,
            _allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is now: servers and tests replace it
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger("app")
    if not any(isinstance(handler, _ToStructlog) for handler in root.handlers):
        root.addHandler(_ToStructlog())


class _ToStructlog(logging.Handler):
    """`logging.getLogger(__name__)` in our own packages ends up in the same JSON lines."""

    def emit(self, record: logging.LogRecord) -> None:
        name = record.levelname.lower()
        write = getattr(log, name if name in ("debug", "info", "warning", "error", "critical") else "info")
        write(record.getMessage(), logger=record.name, exc_info=record.exc_info or None)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _GOOD_ID.match(given) else secrets.token_hex(12)
    g.request_began = time.perf_counter_ns()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(_error: BaseException | None) -> None:
    structlog.contextvars.clear_contextvars()


def _line(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers[HEADER] = g.request_id
    if request.endpoint != "static":
        log.info(
            "request",
            method=request.method,
            rule=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            ms=(time.perf_counter_ns() - g.request_began) // 1_000_000,
            actor=_actor(),
        )
    return response


def _actor() -> str | None:
    """Who it was, if that was asked at all: looking it up for the log alone would cost a query."""
    if "api_caller" in g:
        return str(g.api_caller.key_id)
    if "_login_user" in g and current_user.is_authenticated:
        return str(current_user.id)
    return None


def _stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["time"] = clock.timestamp(clock.now())
    return event


def _allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _masked(value) for name, value in event.items() if name in ALLOWED and value is not None}


def _masked(value: Any) -> Any:
    return _SECRETS.sub(r"\1…", _REFUSED_ROW.sub("DETAIL: …", value)) if isinstance(value, str) else value
