"""What credits and their movements are called: by the API's `type`, and on pages."""

from __future__ import annotations

# What a grant is called that has no description of its own.
TITLES = {
    "pack": "Credit pack",
    "welcome": "Welcome credits",
    "included": "Included credits",
    "checkin": "Check-in",
    "coupon": "Coupon",
    "adjustment": "Credits from us",
    "promo": "Promotional credits",
}
