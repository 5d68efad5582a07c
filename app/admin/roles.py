"""Who may do what in the back office: all staff read, finance and admin move money, admin edits what is sold."""

from __future__ import annotations

from flask_login import current_user

from app.http.auth import staff_required

MONEY_ROLES = ("finance", "admin")

staff_reads = staff_required("support", "finance", "admin")
staff_moves_money = staff_required(*MONEY_ROLES)
staff_edits_catalogue = staff_required("admin")
staff_administers = staff_required("admin")  # staff themselves, and what the installation is set to


def may_move_money() -> bool:
    """Whether to offer this person the buttons that `staff_moves_money` guards."""
    return current_user.staff_role in MONEY_ROLES


def may_edit_catalogue() -> bool:
    """Whether to offer this person what `staff_edits_catalogue` guards."""
    return bool(current_user.staff_role == "admin")


def actor() -> str:
    """The signed-in member of staff, as the audit log names them."""
    return f"staff:{current_user.id}"
