"""Tax ids: whether one has the form its country gives it. Whether it exists only the country's office knows."""

from __future__ import annotations

import re

from app.errors import Invalid

# Without spaces, dots and dashes, in capitals. What the members of the EU and the others print on invoices.
_FORMS: dict[str, tuple[str, str]] = {
    "AT": (r"ATU\d{8}", "ATU12345678"),
    "AU": (r"\d{11}", "51 824 753 556"),
    "BE": (r"BE[01]\d{9}", "BE0123456789"),
    "BG": (r"BG\d{9,10}", "BG123456789"),
    "CA": (r"\d{9}(RT\d{4})?", "123456789 RT0001"),
    "CH": (r"CHE\d{9}(MWST|TVA|IVA)?", "CHE-123.456.789 MWST"),
    "CY": (r"CY\d{8}[A-Z]", "CY12345678X"),
    "CZ": (r"CZ\d{8,10}", "CZ12345678"),
    "DE": (r"DE\d{9}", "DE123456789"),
    "DK": (r"DK\d{8}", "DK12345678"),
    "EE": (r"EE\d{9}", "EE123456789"),
    "ES": (r"ES[A-Z0-9]\d{7}[A-Z0-9]", "ESX1234567X"),
    "FI": (r"FI\d{8}", "FI12345678"),
    "FR": (r"FR[A-Z0-9]{2}\d{9}", "FRXX123456789"),
    "GB": (r"(GB|XI)(\d{9}|\d{12}|GD\d{3}|HA\d{3})", "GB123456789"),
    "GR": (r"EL\d{9}", "EL123456789"),
    "HR": (r"HR\d{11}", "HR12345678901"),
    "HU": (r"HU\d{8}", "HU12345678"),
    "IE": (r"IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "IE1234567FA"),
    "IN": (r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]", "27AAPFU0939F1ZV"),
    "IT": (r"IT\d{11}", "IT12345678901"),
    "LT": (r"LT(\d{9}|\d{12})", "LT123456789"),
    "LU": (r"LU\d{8}", "LU12345678"),
    "LV": (r"LV\d{11}", "LV12345678901"),
    "MT": (r"MT\d{8}", "MT12345678"),
    "NL": (r"NL[A-Z0-9+*]{10}\d{2}", "NL123456789B01"),
    "NO": (r"\d{9}(MVA)?", "123456789 MVA"),
    "NZ": (r"\d{8,9}", "123-456-789"),
    "PL": (r"PL\d{10}", "PL1234567890"),
    "PT": (r"PT\d{9}", "PT123456789"),
    "RO": (r"RO\d{2,10}", "RO1234567890"),
    "SE": (r"SE\d{12}", "SE123456789012"),
    "SG": (r"[A-Z0-9]{9,10}", "M12345678X"),
    "SI": (r"SI\d{8}", "SI12345678"),
    "SK": (r"SK\d{10}", "SK1234567890"),
    "US": (r"\d{9}", "12-3456789"),
}
_ANY = re.compile(r"[A-Z0-9][A-Z0-9/+*]{2,29}\Z", re.ASCII)
_BETWEEN = re.compile(r"[\s.\-]+")


def clean(tax_id: str, country: str) -> str:
    """In capitals without spaces, dots and dashes; empty for none. Raises Invalid where its country writes others."""
    plain = _BETWEEN.sub("", tax_id).upper()
    if not plain:
        return ""
    form, example = _FORMS.get(country, ("", ""))
    if form and not re.fullmatch(form, plain, re.ASCII):
        # People leave out the country's letters, which are a part of the number on every invoice abroad.
        letters = example[:2]
        if letters.isalpha() and re.fullmatch(form, letters + plain, re.ASCII):
            return letters + plain
        raise Invalid(f"This is not how a tax id is written there: {example}, for example.", field="tax_id")
    if not _ANY.match(plain):
        raise Invalid("Enter 3 to 30 letters and figures.", field="tax_id")
    return plain
