"""The invoices' forms: which to show, and who they are made out to."""

from __future__ import annotations

from typing import Any

from wtforms import StringField
from wtforms.validators import ValidationError

from app.http.day_range import DayRangeForm
from app.http.forms import Form
from app.invoices.buyers import Details
from app.invoices.models import Buyer
from app.invoices.reads import STATUSES, TYPES, Wanted

STATUS_CHOICES = (("", "All"), ("open", "To pay"), ("paid", "Paid"), ("refunded", "Refunded"), ("void", "Void"))
TYPE_CHOICES = (
    ("", "Everything"),
    ("plan", "Plan"),
    ("topup", "Wallet top-ups"),
    ("pack", "Credit packs"),
    ("usage", "Usage"),
    ("other", "Other"),
)


class InvoiceFilter(DayRangeForm):
    """Status, what for, and the days it was issued in."""

    status = StringField()
    type = StringField()

    def validate_status(self, field: StringField) -> None:
        if field.data and field.data not in STATUSES:
            raise ValidationError("Choose one of these.")

    def validate_type(self, field: StringField) -> None:
        if field.data and field.data not in TYPES:
            raise ValidationError("Choose one of these.")

    @property
    def wanted(self) -> Wanted:
        """What to read; a filter that is wrong shows everything, with its error beside it."""
        if self.errors:
            return Wanted()
        return Wanted(self.status.data or "", self.type.data or "", self.first_instant, self.end)

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        named = {"status": self.status.data, "type": self.type.data}
        return {**{name: value for name, value in named.items() if value}, **self.days}


class BuyerForm(Form):
    """What stands on later invoices. The domain says what makes sense, field by field."""

    name = StringField()
    customer_type = StringField()
    line1 = StringField()
    line2 = StringField()
    postal_code = StringField()
    city = StringField()
    region = StringField()
    country = StringField()
    tax_id = StringField()

    @property
    def details(self) -> Details:
        return Details(**{name: self.typed(name) for name in self._fields})


def buyer_form(buyer: Buyer | None, *, name: str, country: str) -> BuyerForm:
    """The form with what is known; until they have told, the customer's own name and the seller's country."""
    first = {"name": name, "country": country, "customer_type": "business"}
    return BuyerForm(formdata=None, obj=buyer, data=None if buyer else first)
