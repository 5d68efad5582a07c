"""House rules over the templates and the files we serve: what a strict content security policy and escaping need."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from tests.support.tree import ROOT, files, text, under

UNESCAPED: dict[str, str] = {}  # template -> why it may switch escaping off
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", re.IGNORECASE)
HANDLER = re.compile(r"\s(on[a-z]+|hx-on[:a-z-]*)\s*=", re.IGNORECASE)
COMMENT = re.compile(r"{#.*?#}", re.DOTALL)


def test_every_template_ends_in_html() -> None:
    # Autoescaping is chosen by the name's ending: any other would come out unescaped.
    assert not [
        str(path) for path in files() if path.is_relative_to("templates") and path.suffix not in (".html", ".txt")
    ]


@pytest.mark.parametrize("path", under("templates", ".html"), ids=str)
def test_a_template_has_no_inline_style_or_script(path) -> None:
    source = COMMENT.sub("", text(path))

    assert not re.search(r"\sstyle\s*=", source)
    assert "<style" not in source
    assert not INLINE_SCRIPT.search(source)
    assert not HANDLER.search(source)
    assert "javascript:" not in source


@pytest.mark.parametrize("path", under("templates", ".html"), ids=str)
def test_a_template_escapes_what_it_shows(path) -> None:
    source = COMMENT.sub("", text(path))

    switched_off = re.search(r"\|\s*safe\b|autoescape\s+false", source)

    assert not switched_off or str(path) in UNESCAPED


def test_a_template_loads_nothing_from_elsewhere() -> None:
    foreign = re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE
    )

    assert not [str(path) for path in under("templates", ".html") if foreign.search(text(path))]


def test_vendored_files_are_what_they_say() -> None:
    listed = json.loads(text(ROOT / "static/vendor/vendor.json"))["files"]

    for entry in listed:
        digest = hashlib.sha384((ROOT / "static/vendor" / entry["file"]).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == entry["sha384"], entry["file"]
    present = {path.name for path in files() if path.is_relative_to("static/vendor")}
    assert present == {entry["file"] for entry in listed} | {"vendor.json"}
