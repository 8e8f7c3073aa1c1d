"""Which days are public holidays? Those of the library `holidays`, by the code of a country or subdivision."""

from collections.abc import Collection
from datetime import date
from functools import cache

from policy.compile import Holidays
from server.errors import ImportRefusedError


@cache
def holidays_of(code: str | None) -> Holidays:
    """The public holidays of a country (FR) or one of its subdivisions (FR-57), by year. Raises ImportRefusedError."""
    if code is None:
        return lambda year: ()
    from holidays import country_holidays  # a fifth of a second: for whoever has holidays

    country, _, subdivision = code.partition("-")

    @cache
    def in_year(year: int) -> Collection[date]:
        return country_holidays(country, subdiv=subdivision or None, years=year)

    try:
        in_year(2026)
    except NotImplementedError:
        raise ImportRefusedError(
            f"site.holidays {code!r}: not known; use a country or a subdivision, as FR or FR-57"
        ) from None
    return in_year
