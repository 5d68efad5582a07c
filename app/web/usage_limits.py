"""What a customer sets for their usage: how much overage may cost, and when they are told (SPEC U4)."""

from __future__ import annotations

from typing import Any

from flask_login import current_user
from sqlalchemy.orm import Session
from wtforms import StringField

from app.customers import members
from app.errors import Invalid
from app.http.filters import default_currency
from app.http.forms import Form, MoneyField
from app.metering import caps
from app.money import micros_to_minor, minor_to_micros
from app.notices import choices
from app.web.top_up_panel import figures

LARGEST_CAP = 100_000_000  # minor units
ASK_FOR_PERCENTS = "Enter whole percentages with commas between them, like 80, 100."


class CapForm(Form):
    """The most overage may cost in a period; an empty field is no cap."""

    cap = MoneyField(id="cap", minimum=0, maximum=LARGEST_CAP)

    @property
    def micros(self) -> int | None:
        """What was typed, once the form has validated."""
        if not self.typed("cap").strip():
            return None
        return minor_to_micros(self.cap.minor or 0, default_currency())

    def validates(self) -> bool:
        """Whether what was typed is an amount, or nothing at all."""
        return not self.typed("cap").strip() or bool(self.validate())


class ThresholdForm(Form):
    """The percents of an allowance at which the customer is told; an empty field is never."""

    percents = StringField(id="percents")

    @property
    def chosen(self) -> list[int]:
        """What was typed. Raises Invalid."""
        typed = self.typed("percents").replace("%", " ").replace(",", " ").split()
        if any(not (part.isascii() and part.isdigit() and len(part) <= 4) for part in typed):
            raise Invalid(ASK_FOR_PERCENTS, field="percents")
        return [int(part) for part in typed]


def set_cap(session: Session, customer_id: str, form: CapForm) -> None:
    """Keep the cap. Raises Invalid; the caller commits."""
    caps.set_spend_cap(session, customer_id, form.micros, actor=current_user.id)


def set_thresholds(session: Session, customer_id: str, form: ThresholdForm) -> None:
    """Keep the percents; what else the customer chose about notices stays. Raises Invalid; the caller commits."""
    kept = choices.of(session, customer_id)
    choices.choose(
        session,
        customer_id,
        percents=form.chosen,
        low_micros=kept.low_micros if kept else choices.LOW_MICROS,
        mails=kept.mails if kept else True,
        actor=current_user.id,
    )


def panel(
    session: Session,
    customer_id: str,
    cap: int | None,
    *,
    cap_form: CapForm | None = None,
    threshold_form: ThresholdForm | None = None,
) -> dict[str, Any]:
    """What `usage/_limits.html` needs: the forms with what is set, or with what was typed and refused."""
    typed = "" if cap is None else figures(micros_to_minor(cap, default_currency()))
    percents = ", ".join(str(percent) for percent in choices.thresholds(session, customer_id))
    return {
        "cap_form": cap_form or CapForm(formdata=None, data={"cap": typed}),
        "threshold_form": threshold_form or ThresholdForm(formdata=None, data={"percents": percents}),
        "may_set": members.allows(current_user.permission, "write"),
    }
