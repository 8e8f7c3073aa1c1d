"""In which words and figures is it said? French first, English second; dates and hours as each of them writes them."""

import re
from datetime import date as date_
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import current_app, g, request

from policy.terms import Instant
from server.database.types import moment
from server.text.translate import gettext, language

LANGUAGES = ("fr", "en")
COOKIE = "lang"
YEAR = 365 * 24 * 3600
NBSP = "\N{NO-BREAK SPACE}"
JOINER = "\N{WORD JOINER}"
_BY_BROWSER = re.compile(r"\d{4}-\d{2}-\d{2}")
_BY_HAND = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})")


def choose() -> str:
    """The language of this request: what was chosen, else what the browser prefers, else French."""
    chosen = request.args.get("lang") or request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, default="fr")


def zone() -> ZoneInfo:
    """The site's time zone."""
    if "zone" not in g:
        g.zone = current_app.extensions["loquet"].current().zone
    return g.zone  # type: ignore[no-any-return]


def local(at: Instant | datetime) -> datetime:
    return (at if isinstance(at, datetime) else moment(at)).astimezone(zone())


def hour(at: Instant | datetime) -> str:
    """18 h 30, 22 h; in English 18:30, 22:00."""
    when = local(at)
    if language() == "en":
        return f"{when:%H:%M}"
    return f"{when.hour}{NBSP}h" + (f"{NBSP}{when.minute:02}" if when.minute else "")


def clock(written: str) -> str:
    """The same of an HH:MM: 18 h 30, 24 h."""
    if language() == "en":
        return written
    hours, minutes = written.split(":")
    return f"{int(hours)}{NBSP}h" + (f"{NBSP}{minutes}" if minutes != "00" else "")


def hours(start: Instant | datetime, end: Instant | datetime) -> str:
    """18 h – 22 h, on one line: without the word joiner browsers break after the dash."""
    return f"{hour(start)}{NBSP}–{JOINER}{NBSP}{hour(end)}"


def lasting(minutes: int) -> str:
    """4 min, 2 h, 1 h 16."""
    if minutes < 60:
        return gettext("%(minutes)s min", minutes=minutes)
    if minutes % 60 == 0:
        return gettext("%(hours)s h", hours=minutes // 60)
    return gettext("%(hours)s h %(minutes)s", hours=minutes // 60, minutes=f"{minutes % 60:02}")


def day(at: Instant | datetime) -> str:
    """jeu. 26 nov., of another year mar. 1er juin 2027; in English Thu 26 Nov."""
    this_year = local(current_app.extensions["loquet"].clock()).year
    return _date(at, "EEE d MMM" if local(at).year == this_year else "EEE d MMM y")


def long_day(at: Instant | datetime) -> str:
    """Jeudi 26 novembre 2026, mardi 1er juin 2027; in English Thursday 26 November 2026."""
    written = _date(at, "EEEE d MMMM y")
    return written[:1].upper() + written[1:]


def calendar_day(date: date_) -> str:
    """The same of a date: jeu. 26 nov., of another year mar. 1er juin 2027."""
    this_year = local(current_app.extensions["loquet"].clock()).year
    return _written(date, "EEE d MMM" if date.year == this_year else "EEE d MMM y")


def whole_day(date: date_) -> str:
    """1er janvier 2026, in English 1 January 2026: where a sentence is about more than a year, or is kept on paper."""
    return _written(date, "d MMMM y")


def week_day(date: date_) -> str:
    """jeu. 26, in English Thu 26: where a week is shown."""
    return _written(date, "EEE d")


def short_day(date: date_) -> str:
    """24 nov., of another year 24 nov. 2025; in English 24 Nov."""
    this_year = local(current_app.extensions["loquet"].clock()).year
    return _written(date, "d MMM" if date.year == this_year else "d MMM y")


def read_date(written: str) -> date_ | None:
    """A date as people type it, 31/12/2026 or 31.12.2026, or as browsers send it, 2026-12-31; None where none is.

    Raises ValueError for what is none.
    """
    said = written.strip()
    if not said:
        return None
    if found := _BY_HAND.fullmatch(said):
        return date_(int(found[3]), int(found[2]), int(found[1]))
    return date_.fromisoformat(said)


def no_such_day(written: str) -> str:
    """What is said of a day that is written as one and that no calendar has; nothing of any other."""
    said = written.strip()
    found = _BY_HAND.fullmatch(said) or _BY_BROWSER.fullmatch(said)
    try:
        read_date(said)
    except ValueError:
        return gettext("Le %(day)s n’existe pas : vérifiez le jour et le mois.", day=said) if found else ""
    return ""


def _date(at: Instant | datetime, pattern: str) -> str:
    return _written(local(at).date(), pattern)


def _written(date: date_, pattern: str) -> str:
    if language() == "fr" and date.day == 1:
        pattern = re.sub(r"(^| )d ", r"\1d'er' ", pattern)
    return format_date(date, pattern, locale=language()).replace(" ", NBSP)


def when(at: Instant | datetime, now: Instant) -> str:
    """The hour, with the day when it is another: demain à 9 h, jeu. 26 nov. à 9 h."""
    days = (local(at).date() - local(now).date()).days
    if days == 0:
        return hour(at)
    if days == 1:
        return gettext("demain à %(hour)s", hour=hour(at))
    if days == -1:
        return gettext("hier à %(hour)s", hour=hour(at))
    return gettext("%(day)s à %(hour)s", day=day(at), hour=hour(at))


def opens(at: Instant | datetime, now: Instant) -> str:
    """When something begins, as the end of a sentence: à 9 h, demain à 9 h, jeu. 26 nov. à 9 h."""
    if local(at).date() == local(now).date():
        return gettext("à %(hour)s", hour=hour(at))
    return when(at, now)
