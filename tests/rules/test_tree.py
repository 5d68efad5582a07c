"""House rules over the whole tree: it speaks of itself alone, holds no secrets, and its two locks agree."""

from __future__ import annotations

import re

from tests.support.tree import files, text

# Each expression is written so that it does not find itself.
PLACES = [
    r"/wor[k]/",
    r"\bshare[d]/(?:spec|reference|design)",
    r"/roo[t]/",
    r"/hom[e]/\w",
    r"/User[s]/\w",
    r"\bBRIE[F]\.md",
]
REGISTRIES = [
    r"pyp[i]\.org",
    r"pythonhoste[d]",
    r"registry\.npm[j]s",
    r"--(?:extra-)?index-ur[l]",
    r"--find-link[s]",
    r"/op[t]/",
]
TOOLS = [
    r"\bclaud[e]\b(?![-\d])",
    r"\bcopilo[t]\b",
    r"\bcurso[r] rules",
    r"\bchat[g]pt\b(?![-\d])",
    r"\bco-authored-b[y]\b",
    r"\bsub-?agent[s]?\b",
]
SECRETS = [
    r"\bsk_liv[e]_[A-Za-z0-9]{16,}",
    r"\brk_liv[e]_[A-Za-z0-9]{16,}",
    r"\bwhse[c]_[A-Za-z0-9]{24,}",
    r"-----BEGI[N] [A-Z ]*PRIVATE KEY",
]


def test_the_tree_names_no_place_registry_or_tool() -> None:
    wanted = re.compile("|".join([*PLACES, *REGISTRIES, *TOOLS]), re.IGNORECASE)

    assert not _found(wanted)


def test_the_tree_holds_no_secrets() -> None:
    assert not _found(re.compile("|".join(SECRETS)))


def test_both_locks_hold_the_same_versions_with_hashes() -> None:
    run, test = _pins("requirements.lock"), _pins("requirements-dev.lock")

    assert run.items() <= test.items()
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-pgtest.lock"):
        assert text_of(name).count("--hash=sha256:") >= len(_pins(name)) > 0
        assert "://" not in text_of(name)


def test_the_lock_covers_what_pyproject_asks_for() -> None:
    import tomllib

    asked = tomllib.loads(text_of("pyproject.toml"))["project"]["dependencies"]
    names = {re.split(r"[\[<>=!;~ ]", line)[0] for line in asked}

    assert names <= _pins("requirements.lock").keys()


def test_the_front_files_are_there() -> None:
    named = {str(path) for path in files()}

    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "docs/settings.md"} <= named


def _found(wanted: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in files()
        if path.suffix not in (".png", ".jpg", ".gz")
        for number, line in enumerate(text(path).splitlines(), 1)
        if wanted.search(line)
    ]


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", text_of(name), re.MULTILINE))


def text_of(name: str) -> str:
    return next(text(path) for path in files() if str(path) == name)
