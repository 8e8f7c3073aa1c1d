"""In which words and figures is it said? French first, English second; dates and hours as each of them writes them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import current_app, g, request

from policy.terms import Instant
from server.db import moment
from server.translate import gettext, language

LANGUAGES = ("fr", "en")
COOKIE = "lang"
YEAR = 365 * 24 * 3600
NBSP = "\N{NO-BREAK SPACE}"


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


def day(at: Instant | datetime) -> str:
    """jeu. 26 nov.; in English Thu 26 Nov."""
    return format_date(local(at).date(), "EEE d MMM", locale=language()).replace(" ", NBSP)


def long_day(at: Instant | datetime) -> str:
    """Jeudi 26 novembre 2026; in English Thursday 26 November 2026."""
    written = format_date(local(at).date(), "EEEE d MMMM y", locale=language())
    return written[:1].upper() + written[1:]


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


def short_name(name: str | None) -> str:
    """Maëlle B. for Maëlle Bernard."""
    words = (name or "").split()
    return f"{words[0]}{NBSP}{words[-1][0]}." if len(words) > 1 else (words[0] if words else "")
