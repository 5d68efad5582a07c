"""Security headers on every answer: what a page may load, where its forms may lead, and that nobody keeps a copy."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from app.config import Settings

# A form answered by a 303 to the hosted checkout counts as a form that leads there, so its hosts are named.
CHECKOUT_HOSTS = ("https://checkout.stripe.com", "https://billing.stripe.com")
# Those of the other channels, by the setting that switches one on. Each store of Lemon Squeezy's has a name of its own.
OTHER_HOSTS = {
    "lemonsqueezy_api_key": ("https://*.lemonsqueezy.com",),
    "polar_access_token": ("https://polar.sh", "https://*.polar.sh"),
    "creem_api_key": ("https://creem.io", "https://*.creem.io"),
}


def register(app: Flask) -> None:
    """Add the headers after every request; a page that set its own policy keeps it."""
    settings: Settings = app.extensions["settings"]
    policy = content_policy(settings)

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.vary.add("Cookie")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if settings.secure_cookies:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint == "static":
            # The address changes with the content, so a browser may keep what it has.
            kept = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
            headers["Cache-Control"] = kept
        else:
            headers.setdefault("Cache-Control", "private, no-store")
        return response


def content_policy(settings: Settings) -> str:
    """The Content-Security-Policy: our own files only; forms may also lead to the checkout in use."""
    others = [host for setting, hosts in OTHER_HOSTS.items() if getattr(settings, setting) for host in hosts]
    targets = ["'self'", *CHECKOUT_HOSTS, *others]
    if settings.stripe_api_base:
        # The stand-in provider serves its checkout page from where its API is.
        parts = urlsplit(settings.stripe_api_base)
        targets.append(f"{parts.scheme}://{parts.netloc}")
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "font-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action {' '.join(targets)}",
        )
    )
