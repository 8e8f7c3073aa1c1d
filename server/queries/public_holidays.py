"""Which days are public holidays? Those of the library `holidays`, by the code of a country or subdivision."""

from collections.abc import Collection
from datetime import date
from difflib import get_close_matches
from functools import cache

from policy.rota import Holidays
from server.errors import ImportRefusedError


@cache
def holidays_of(code: str | None, *, kept: bool = False) -> Holidays:
    """The public holidays of a country (FR) or one of its subdivisions (FR-57), by year. Raises ImportRefusedError.

    kept: what is stored already counts as long as the library makes something of it: an earlier version took France.
    """
    if code is None:
        return lambda year: ()
    from holidays import country_holidays, list_supported_countries  # a fifth of a second: for whoever has holidays

    country, _, subdivision = code.partition("-")
    if not kept and country not in list_supported_countries(include_aliases=True):
        raise _unknown(code, country)

    @cache
    def in_year(year: int) -> Collection[date]:
        return country_holidays(country, subdiv=subdivision or None, years=year)

    try:
        in_year(2026)
    except NotImplementedError:
        raise _unknown(code) from None
    return in_year


def _unknown(code: str, country: str = "") -> ImportRefusedError:
    """With the code that was meant, where the country is wrong: in English, in small letters, or nearly right."""
    from holidays.registry import COUNTRIES

    codes = {called.casefold(): codes[1] for name, codes in COUNTRIES.items() for called in (name, *codes[1:3])}
    near = get_close_matches(country.casefold(), codes, 1, cutoff=0.8)
    told = f" ({codes[near[0]]}?)" if near else ""
    return ImportRefusedError(
        f"site.holidays {code!r}: not known{told}; use a country or a subdivision, as FR or FR-57"
    )
