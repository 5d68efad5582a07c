"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and ten recovery codes for when it is lost.

A code counts once: the step of the newest one used is kept, and nothing at or before it counts again. The app's clock
may be half a minute off. The shared secret is sealed under the installation's secret key (`sealing`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pyotp
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Conflict, NotFound, Refusal
from app.people import sealing, sessions
from app.people.models import RecoveryCode, SecondFactor, User

STEP, AROUND = 30, (0, -1, 1)  # seconds a code stands for; which steps beside the present one count
SET_UP_WITHIN = timedelta(hours=1)
SECRET_BYTES = 20  # what RFC 4226 recommends, and every app takes
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"  # none that looks like another
_CODE = re.compile(r"[0-9]{6}\Z", re.ASCII)


class CodeRefused(Refusal):
    """No code of theirs that still counts. Why is not told: wrong, used and too old are one answer."""

    code = "CODE_REFUSED"


def begin(session: Session, user: User, key: str) -> None:
    """A new secret, which counts once a code made with it is confirmed. Raises Conflict while one counts already."""
    if is_on(session, user.id):
        raise Conflict("Your second factor is on already. Turn it off before you set up another.")
    now = clock.now()
    _forget(session, user.id)
    sealed = sealing.seal(key, _purpose(user.id), secrets.token_bytes(SECRET_BYTES))
    session.add(SecondFactor(user_id=user.id, sealed=sealed, created_at=now, confirmed_at=None, last_step=0))
    session.flush()


def is_on(session: Session, user_id: str) -> bool:
    """Whether they need a code to sign in."""
    row = session.get(SecondFactor, user_id)
    return row is not None and row.confirmed_at is not None


def unconfirmed(session: Session, user_id: str, keys: Sequence[str]) -> str | None:
    """The secret that waits for its first code, as apps want it (base 32); None when none does, or for too long."""
    row = session.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is not None or row.created_at <= clock.now() - SET_UP_WITHIN:
        return None
    opened = sealing.unseal(keys, _purpose(user_id), row.sealed)
    return base64.b32encode(opened[0]).decode() if opened else None


def address(secret: str, *, name: str, issuer: str) -> str:
    """What the QR code says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def confirm(session: Session, user: User, keys: Sequence[str], code: str, *, keep_token: str) -> list[str]:
    """From now on it counts; returns the recovery codes, to be shown this once. Raises CodeRefused and NotFound.

    Every other session ends: whoever knew the password alone is out.
    """
    secret, row = unconfirmed(session, user.id, keys), session.get(SecondFactor, user.id)
    if secret is None or row is None:
        raise NotFound("There is nothing to confirm. Begin the set-up again.")
    step = _step_of(secret, code)
    if step is None:
        raise _refused("This is not the code that the app shows now. Check that the app's clock is right.")
    row.confirmed_at, row.last_step = clock.now(), step
    ended = sessions.end_all(session, user.id, keep_token=keep_token)
    activity.record(session, user.id, "user.second_factor_on", user.id, sessions_ended=ended)
    return _write_codes(session, user.id)


def check(session: Session, user_id: str, keys: Sequence[str], code: str) -> str:
    """Use a code up: "app" or "recovery". Raises CodeRefused. Of two who send the same code, one gets through.

    How often it may be tried is the caller's to count.
    """
    row = session.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is None:
        raise _refused()
    typed = code.replace(" ", "").replace("-", "").lower()
    if not _CODE.match(typed):
        return _use_recovery(session, user_id, typed)
    opened = sealing.unseal(keys, _purpose(user_id), row.sealed)
    step = _step_of(base64.b32encode(opened[0]).decode(), typed) if opened else None
    if opened is None or step is None:
        raise _refused()
    newer = update(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
    values: dict[str, Any] = {"last_step": step}
    if opened[1]:  # the key was changed since: from now on under the new one
        values["sealed"] = sealing.seal(keys[0], _purpose(user_id), opened[0])
    if _count(session, newer.values(**values)) != 1:
        raise _refused("This code was used already. Wait for the next one.")
    return "app"


def new_codes(session: Session, user: User) -> list[str]:
    """Ten new recovery codes, to be shown this once; the ones before stop working."""
    activity.record(session, user.id, "user.recovery_codes_made", user.id)
    return _write_codes(session, user.id)


def codes_left(session: Session, user_id: str) -> int:
    """How many recovery codes are unused."""
    mine = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(mine) or 0


def since(session: Session, user_ids: Sequence[str]) -> dict[str, datetime]:
    """Who has one that counts, and since when."""
    rows = select(SecondFactor.user_id, SecondFactor.confirmed_at)
    rows = rows.where(SecondFactor.user_id.in_(user_ids), SecondFactor.confirmed_at.is_not(None))
    return {row.user_id: row.confirmed_at for row in session.execute(rows)}


def remove(session: Session, user: User, *, actor: str, keep_token: str | None = None) -> None:
    """The password alone signs them in again. Every other session ends. Raises NotFound when there is none."""
    if not is_on(session, user.id):
        raise NotFound(f"{user.name} has no second factor.")
    _forget(session, user.id)
    ended = sessions.end_all(session, user.id, keep_token=keep_token)
    activity.record(session, actor, "user.second_factor_off", user.id, sessions_ended=ended)


def _step_of(secret: str, typed: str) -> int | None:
    """Which step's code this is, among those that count now."""
    # An app on a telephone knows the real time only, also where the demo has moved ours.
    present, app = int(clock.real_now().timestamp()) // STEP, pyotp.TOTP(secret)
    typed = typed.replace(" ", "")
    if not _CODE.match(typed):
        return None
    right = [present + off for off in AROUND if hmac.compare_digest(app.generate_otp(present + off), typed)]
    return right[0] if right else None


def _use_recovery(session: Session, user_id: str, typed: str) -> str:
    used = update(RecoveryCode).where(
        RecoveryCode.user_id == user_id,
        RecoveryCode.code_hash == _hashed(user_id, typed),
        RecoveryCode.used_at.is_(None),
    )
    if _count(session, used.values(used_at=clock.now())) != 1:
        raise _refused()
    activity.record(session, user_id, "user.recovery_code_used", user_id, left=codes_left(session, user_id))
    return "recovery"


def _write_codes(session: Session, user_id: str) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    plain = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_hashed(user_id, code), used_at=None) for code in plain)
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in plain]


def _hashed(user_id: str, code: str) -> str:
    # 78 random bits: there is nothing to guess that a slow hash would protect.
    return hashlib.sha256(f"{user_id}:{code}".encode("utf-8", "surrogatepass")).hexdigest()


def _forget(session: Session, user_id: str) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))


def _count(session: Session, statement: Any) -> int:
    quiet = statement.execution_options(synchronize_session=False)
    return int(cast("CursorResult[Any]", session.execute(quiet)).rowcount)


def _purpose(user_id: str) -> str:
    return f"second factor of {user_id}"


def _refused(sentence: str = "This code does not count. Type the one that your app shows now.") -> CodeRefused:
    return CodeRefused(sentence, field="code")
