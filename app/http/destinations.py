"""Where `next` may lead after signing in: to a page of ours and nowhere else (ASVS 3.7.2)."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

_LONGEST = 1000


def safe(target: str | None, default: str = "/") -> str:
    """The target when it is a plain path of ours, else the default.

    Browsers read `//host`, `/\\\\host` and paths with tabs or line breaks in them as other hosts, so only a printable
    path that begins with one slash passes. Parsing must agree that it names no scheme and no host.
    """
    if not target or len(target) > _LONGEST or not target.startswith("/") or not target.isascii():
        return default
    if target.startswith("//") or "\\" in target or not target.isprintable() or " " in target:
        return default
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    if parts.scheme or parts.netloc or "//" in parts.path or "\\" in parts.path or _leads_back(parts.path):
        return default
    return target


def of_this_page() -> str:
    """Where the person was when we had to ask them to sign in: this page, or the one an htmx request came from."""
    if request.headers.get("HX-Request"):
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        return safe(page.path + ("?" + page.query if page.query else ""))
    if request.method in ("GET", "HEAD"):
        return safe(request.full_path.removesuffix("?"))
    return "/"


def _leads_back(path: str) -> bool:
    """Signing in must not end at signing in or out."""
    return path in ("/sign-in", "/sign-in/code", "/sign-up", "/sign-out")
