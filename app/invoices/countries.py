"""Countries and the regions that tax asks for: ISO codes, and the names people type for them."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale

from app.errors import Invalid

# Codes of the Unicode list that are groups, test areas or unassigned, and no country to live in.
_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"})

# Where tax differs by region, a region is one of these; elsewhere it is whatever the buyer writes.
REGIONS: dict[str, dict[str, str]] = {
    "CA": {
        "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
        "NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
        "ON": "Ontario", "PE": "Prince Edward Island", "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon",
    },
    "US": {
        "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
        "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
        "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
        "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
        "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
        "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
        "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
        "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
        "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia",
        "WI": "Wisconsin", "WY": "Wyoming",
    },
}  # fmt: skip


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Two-letter code to English name, by name."""
    territories = Locale("en").territories
    found = {code: name for code, name in territories.items() if _is_country(code)}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def check_place(country: str, region: str) -> tuple[str, str]:
    """A country's code and a region as we keep them; '' is any. A state's name becomes its code. Raises Invalid."""
    code = country.strip().upper()
    if code and code not in names():
        raise Invalid("Choose a country.", field="country")
    written = " ".join(region.split())
    if len(written) > 40 or not (written.isprintable() or not written):
        raise Invalid("Enter a region of at most 40 characters.", field="region")
    if written and not code:
        raise Invalid("A region is in a country: choose one.", field="country")
    known = REGIONS.get(code)
    if not written or known is None:
        return code, written
    found = {name.casefold(): key for key, name in known.items()} | {key.casefold(): key for key in known}
    if written.casefold() not in found:
        examples = " or ".join(list(known)[:2])
        raise Invalid(f"Enter the state or province by its two letters, such as {examples}.", field="region")
    return code, found[written.casefold()]


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
