"""The pages of the sandbox: hosted checkout and portal for payers, a console for whoever runs it."""

from flask import Flask

from app.sandbox.pages import checkout, console, controls, errors, guard, invoices, portal, receipts, words


def register(app: Flask) -> None:
    """Answer everything outside /v1."""
    words.register(app)
    guard.register(app)
    errors.register(app)
    for part in (checkout, portal, invoices, receipts, console, controls):
        app.register_blueprint(part.pages)
