"""Where a provider's page may send people back to when a program asked for it: here, or an origin the settings name."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.config import Settings
from app.errors import Invalid

LONGEST = 2000


def checked(url: str | None, field: str, settings: Settings, *, default: str) -> str:
    """The address as given, or `default` (a path of ours) made whole. A path of ours may be given too.

    Raises Invalid naming `field` for anything else: an address that readers take for two different hosts, another
    scheme, or an origin that is neither ours nor in PURSER_RETURN_ORIGINS.
    """
    if url is None:
        return settings.base_url + default
    if url.startswith("/"):
        url = settings.base_url + url
    if not _readable(url) or _origin(url) not in _allowed(settings):
        raise Invalid(
            "This address is not one people may be sent back to. Use an address of this installation, or of an origin "
            "its operator has listed.",
            field=field,
        )
    return url


def _readable(url: str) -> bool:
    """Whether everybody reads the same host in it: no spaces, controls, backslashes, user names or empty segments."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises ValueError for one that is no number
    except ValueError:
        return False
    return bool(parts.hostname) and "@" not in parts.netloc and "//" not in parts.path


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (
        parts.scheme.lower(),
        (parts.hostname or "").lower(),
        parts.port or {"http": 80, "https": 443}.get(parts.scheme),
    )


def _allowed(settings: Settings) -> set[tuple[str, str, int | None]]:
    return {_origin(url) for url in (settings.base_url, *settings.return_origins)}
