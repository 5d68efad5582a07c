"""What people call the browser behind a User-Agent header: "Firefox on Windows"."""

from __future__ import annotations

# The first that is found wins, since most browsers also claim to be the ones after them.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(header: str) -> str:
    """A name for people. It is what the browser says of itself, so it proves nothing."""
    browser = next((name for sign, name in _BROWSERS if sign in header), "")
    system = next((name for sign, name in _SYSTEMS if sign in header), "")
    if not browser:
        return header[:60] or "Unknown browser"
    return f"{browser} on {system}" if system else browser
