"""What each mail says: one entry per mail, the subject and the body, with the names that `outbox.queue` fills in."""

from __future__ import annotations

MAILS: dict[str, tuple[str, str]] = {
    "verify_email": (
        "Confirm your email address",
        """Hello {name},

please confirm that this is your email address:

{link}

The link works once, for 24 hours. If you did not ask for this, ignore it and nothing happens.
""",
    ),
    "signed_up_already": (
        "You already have an account",
        """Hello {name},

someone, probably you, tried to sign up with this address, which has an account already.
Sign in here:

{link}

If you do not know your password any more, choose "Forgot it?" there.
If it was not you, ignore this mail: nobody was told that the account exists.
""",
    ),
    "reset_password": (
        "Choose a new password",
        """Hello {name},

choose a new password here:

{link}

The link works once, for one hour. If you did not ask for this, ignore it: your password stays as it is.
""",
    ),
    "password_changed": (
        "Your password was changed",
        """Hello {name},

the password of your account was changed, and other browsers were signed out.
If that was not you, choose a new one now:

{link}
""",
    ),
    "email_changed": (
        "Your email address was changed",
        """Hello {name},

your account now uses another email address; this one no longer signs you in.
If that was not you, write to us at once by answering this mail.
""",
    ),
    "invitation": (
        "{inviter} invites you to {customer}",
        """Hello,

{inviter} invites you to join {customer}. You would be able to {permission}.

{link}

The link works once, for seven days. If you do not know what this is about, ignore it.
""",
    ),
}
