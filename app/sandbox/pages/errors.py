"""What a reader is told when a page cannot be shown, and a program when a call cannot be answered."""

from __future__ import annotations

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

_WORDS = {
    403: ("This came from another site", "Nothing was done. Use the buttons on these pages."),
    404: ("Nothing is here", "The address may be cut off, or the sandbox was started afresh since."),
    410: ("This link has expired", "Go back and open it again."),
    422: ("That could not be understood", "Nothing was changed. Go back and try again."),
}


def register(app: Flask) -> None:
    """Answer every HTTP error."""
    app.register_error_handler(HTTPException, show)


def show(problem: HTTPException) -> tuple[Response | str, int]:
    """A page for people, an error object for programs."""
    status = problem.code or 500
    if request.path.startswith("/v1/"):
        words = (
            f"Unrecognized request URL ({request.method}: {request.path})." if status in (404, 405) else problem.name
        )
        kind = "invalid_request_error" if status < 500 else "api_error"
        return jsonify(error={"type": kind, "message": words}), 404 if status == 405 else status
    title, words = _WORDS.get(status, (problem.name, "Nothing was changed."))
    if isinstance(problem.description, str) and status == 422:
        words = problem.description
    return render_template("error.html", title=title, words=words), status
