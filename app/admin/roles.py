"""Who may do what in the back office: reading is for all staff, moving money for finance and admin."""

from __future__ import annotations

from flask_login import current_user

from app.http.auth import staff_required

MONEY_ROLES = ("finance", "admin")

staff_reads = staff_required("support", "finance", "admin")
staff_moves_money = staff_required(*MONEY_ROLES)


def may_move_money() -> bool:
    """Whether to offer this person the buttons that `staff_moves_money` guards."""
    return current_user.staff_role in MONEY_ROLES


def actor() -> str:
    """The signed-in member of staff, as the audit log names them."""
    return f"staff:{current_user.id}"
