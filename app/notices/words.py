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
    # To where notices about money go. No link: whoever reads them there may not be the one who signs in.
    "payment_failed": (
        "Your payment of {amount} did not go through",
        """Hello {customer},

we could not collect {amount} for {plan}, invoice {number}: {why}

{next}

Nothing is taken away before {grace}. To settle it now, sign in and top up your wallet or replace your card:
it is tried again at once. On your plan page you can also try again by hand.
""",
    ),
    "access_restricted": (
        "Your access is restricted until invoice {number} is paid",
        """Hello {customer},

{amount} for {plan}, invoice {number}, is still not paid, so your access is restricted from now on.

{next}

Top up your wallet or replace your card, and everything is back at once. Your wallet and your credits are untouched.
""",
    ),
    "plan_ended_unpaid": (
        "{plan} has ended, because it was not paid",
        """Hello {customer},

we tried several times to collect {amount} for {plan} and could not, so the plan has ended.
Invoice {number} is void: you owe nothing for it. You are on the free plan now.

Your wallet and your credits are untouched. You can subscribe again at any time.
""",
    ),
    # To staff who set things up. The reason is the provider's, or its adapter's.
    "cannot_be_sold": (
        "Nobody can buy {thing} through {title} at the moment",
        """Hello,

a customer wanted to buy {thing} through {title} and could not:

{reason}

What each channel lacks is listed in the back office under Channels. You get no other mail about this one until it
has been put right.
""",
    ),
    "adjustment_waiting": (
        "{what} for {customer} waits for a second person",
        """Hello {name},

{who} asks for an adjustment that needs a second person: {what} for {customer}.

Reason: {reason}

Nothing moves before somebody approves it. Look at it here:

{link}
""",
    ),
    "adjustment_decided": (
        "{what} for {customer} was {decided}",
        """Hello {name},

the adjustment you asked for, {what} for {customer}, was {decided}. {why}
""",
    ),
    "second_factor_on": (
        "Your account asks for a code now",
        """Hello {name},

from now on signing in takes a code from your authenticator app besides the password. Other browsers were signed out.
If that was not you, choose a new password now and write to us:

{link}
""",
    ),
    "second_factor_off": (
        "Your account does not ask for a code any more",
        """Hello {name},

the authenticator app of your account was taken off{by}: the password alone signs you in.
Other browsers were signed out.
If that surprises you, choose a new password now and write to us:

{link}
""",
    ),
    "staff_invited": (
        "You are staff now",
        """Hello {name},

{inviter} has let you into the back office, as {role}. {how}

{link}
""",
    ),
    # What `tell` mails: its words are in `kinds`. No link but those the words hold, as above.
    "notice": (
        "{title}",
        """Hello {customer},

{text}

{next}
""",
    ),
    "short_notice": (
        "{title}",
        """Hello {customer},

{title}. {text}
""",
    ),
}
