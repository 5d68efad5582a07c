"""A form that comes back: the page again with what was typed, the sentence beside the field, and the right status."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template

from app.errors import Refusal, TooManyRequests
from app.http.errors import told
from app.http.forms import Form


def form_page(template: str, form: Form, refusal: Refusal | None = None, beside: str = "", **shown: Any) -> Response:
    """422 with the form's own errors, or with a domain's refusal beside the field it names (or `beside`).

    A used-up rate limit is 429 with Retry-After, and the typed values stay as well.
    """
    if refusal is not None:
        form.refuse(refusal, beside)
    return answer(render_template(template, form=form, **shown), refusal)


def answer(page: str, refusal: Refusal | None = None) -> Response:
    """A page that holds a refused form, with the status and headers that `form_page` gives it."""
    response = make_response(page, 422)
    if isinstance(refusal, TooManyRequests):
        words = told(refusal)
        response.status_code = words.status
        response.headers.update(words.headers)
    return response
