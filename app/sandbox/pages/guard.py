"""What protects the pages: posts must come from the pages themselves, and nothing foreign may be loaded."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request


def register(app: Flask) -> None:
    """Check every post outside the API, and set the headers of every page."""
    app.before_request(refuse_strangers)
    app.after_request(set_headers)


def refuse_strangers() -> None:
    """403 for a post that another site's page made the browser send. Programs, which say nothing of it, may post."""
    if request.method != "POST" or request.path.startswith("/v1/"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            abort(403)
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def may_leave_for(*addresses: str | None) -> None:
    """Let forms of the present page end at these addresses: browsers hold redirects after a post against the policy."""
    g.leaves = [f"{where.scheme}://{where.netloc}" for where in map(urlsplit, filter(None, addresses))]


def set_headers(response: Response) -> Response:
    """A strict policy: our own style sheet and pictures, no script at all."""
    if request.path.startswith("/v1/"):
        return response
    ends = " ".join(["'self'", *g.get("leaves", [])])
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {ends}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
