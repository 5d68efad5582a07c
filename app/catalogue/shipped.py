"""The catalogues that come with the program (SPEC §11), each a file beside this one, named for what it stands up."""

from __future__ import annotations

from pathlib import Path

_DIRECTORY = Path(__file__).parent / "catalogues"


def names() -> list[str]:
    """`agent`, `cred`, `host`, `oper`, `view`."""
    return sorted(file.stem for file in _DIRECTORY.glob("*.toml"))


def text_of(name: str) -> str:
    """The file of one of `names()`."""
    assert name in names(), name
    return (_DIRECTORY / f"{name}.toml").read_text(encoding="utf-8")
