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
    response = make_response(render_template(template, form=form, **shown), 422)
    if isinstance(refusal, TooManyRequests):
        answer = told(refusal)
        response.status_code = answer.status
        response.headers.update(answer.headers)
    return response
