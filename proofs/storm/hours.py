"""What time is it on the stormy site? Its zone, its days and its weeks, reckoned without policy/."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from policy.terms import Instant

PARIS = ZoneInfo("Europe/Paris")
CUTOFF, SPLIT = time(4), time(13)


def half_day(local: datetime) -> str:
    """The half-day that holds the moment."""
    today = site_day(local)
    return f"{today}{'pm' if local >= datetime.combine(today, SPLIT, PARIS) else 'am'}"


def day_start(at: Instant) -> Instant:
    """The start of the site day that holds the instant."""
    start = datetime.combine(site_day(local_time(at)), CUTOFF, PARIS)
    return round(start.astimezone(UTC).timestamp() * 1000)


def week_start(at: Instant, weeks: int = 0) -> Instant:
    """Monday 00:00 of the week that holds the instant, or so many weeks later."""
    today = local_time(at).date()
    monday = datetime.combine(today - timedelta(days=today.weekday() - 7 * weeks), time(0), PARIS)
    return round(monday.astimezone(UTC).timestamp() * 1000)


def instant_of(local: str) -> Instant:
    """Of an hour on the site's clock."""
    return round(parsed(local).timestamp() * 1000)


def local_time(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(PARIS)


def site_day(local: datetime) -> date:
    return local.date() if local.time() >= CUTOFF else local.date() - timedelta(days=1)


@lru_cache(maxsize=4096)
def parsed(written: str) -> datetime:
    """An hour as a bundle writes it: with its offset where the clock shows it twice."""
    moment = datetime.fromisoformat(written)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=PARIS)
