"""How often does something recur? As people say it, and as RFC 5545 writes it (RRULE); what cannot be kept is named."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from dateutil.rrule import rrulestr

from policy.instants import in_our_years

UNTIL = "%Y%m%dT235959"
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKS = (1, 2, 3, 4, -1)
"""Of a month, by the weekday: the first to the fourth, and the last."""
MOST_INTERVAL, MOST_COUNT = 99, 999
READ = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "UNTIL", "COUNT", "WKST"})


class RuleRefused(ValueError):  # noqa: N818 - that a rule cannot be kept is no error of ours
    """part: what stands in the rule and cannot be kept. name: which property it is; empty of no known one."""

    def __init__(self, part: str, name: str = "") -> None:
        super().__init__(part)
        self.part, self.name = part, name


class Repeat(StrEnum):
    """How people say it."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY_WEEKDAY = "monthly_weekday"
    MONTHLY_DATE = "monthly_date"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Each interval-th day, week, month or year, up to a last date or so many times.

    weekdays: 0 for Monday, of a week and of a month by weekday; weeks: which of them in the month (WEEKS). Where none
    is named, those of the first time count.
    """

    repeat: Repeat
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    until: date | None = None
    count: int | None = None

    def of(self, first: date) -> "Rhythm":
        """With the weekdays and weeks that it means, beginning on this date, and none where it asks for none."""
        if self.repeat not in (Repeat.WEEKLY, Repeat.MONTHLY_WEEKDAY):
            return replace(self, weekdays=(), weeks=())
        weekdays = self.weekdays or (first.weekday(),)
        weeks = self.weeks or (WEEKS[(first.day - 1) // len(DAYS)],)
        return replace(self, weekdays=weekdays, weeks=weeks if self.repeat is Repeat.MONTHLY_WEEKDAY else ())


def rule_of(rhythm: Rhythm, first: date) -> str:
    """The value of an RRULE that begins on this date. Empty for NEVER."""
    full = rhythm.of(first)
    parts = {
        Repeat.NEVER: "",
        Repeat.DAILY: "FREQ=DAILY",
        Repeat.WEEKLY: "FREQ=WEEKLY",
        Repeat.MONTHLY_WEEKDAY: "FREQ=MONTHLY",
        Repeat.MONTHLY_DATE: "FREQ=MONTHLY",
        Repeat.YEARLY: "FREQ=YEARLY",
    }[full.repeat]
    if not parts:
        return ""
    if full.interval > 1:
        parts += f";INTERVAL={full.interval}"
    if full.repeat is Repeat.MONTHLY_WEEKDAY:
        parts += ";BYDAY=" + ",".join(f"{week}{DAYS[day]}" for week in full.weeks for day in full.weekdays)
    elif full.weekdays not in ((), (first.weekday(),)):
        parts += ";BYDAY=" + ",".join(DAYS[day] for day in full.weekdays)
    if full.until is not None:
        parts += f";UNTIL={full.until.strftime(UNTIL)}"
    return f"{parts};COUNT={full.count}" if full.count is not None else parts


def read_rule(rule: str, start: datetime, zone: tzinfo = UTC) -> Rhythm:
    """How something recurs by an RRULE. Raises RuleRefused for one that cannot be kept.

    start: of the first time, local. zone: in which that is, for a last time that the rule says in UTC.
    """
    said, first = _parts(rule), start.date()
    repeat = _repeat(said)
    if "UNTIL" in said and "COUNT" in said:
        raise RuleRefused(f"UNTIL={said['UNTIL']};COUNT={said['COUNT']}", "UNTIL COUNT")
    interval = _number(said, "INTERVAL", MOST_INTERVAL) or 1
    weeks, weekdays = _days(said, repeat)
    _week_begins(said, repeat, interval, weekdays, first)
    for name, own in (("BYMONTHDAY", first.day), ("BYMONTH", first.month)):
        if name in said and not (_kept(name, repeat, said) and said[name] == str(own)):
            raise RuleRefused(f"{name}={said[name]}", name)
    until, count = _until(said, start, zone), _number(said, "COUNT", MOST_COUNT)
    return Rhythm(repeat, interval, weekdays, weeks, until, count).of(first)


def first_from(rhythm: Rhythm, day: date) -> date:
    """The first date, not before this one, on which it can begin. Weeks and months are counted from those of the date,
    as every calendar counts them (RFC 5545): a rhythm of each second week keeps its weeks when its weekday changes."""
    rule = rule_of(replace(rhythm, until=None, count=None), day)
    start = datetime.combine(day, time())
    found = rrulestr(rule, dtstart=start).after(start, inc=True) if rule else start
    return found.date() if found is not None else day


def _parts(rule: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in rule.upper().replace(" ", "").removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name not in READ or name in said:
            raise RuleRefused(part, name if name == "BYSETPOS" else "")
        said[name] = value
    return said


def _repeat(said: dict[str, str]) -> Repeat:
    match said.get("FREQ"):
        case "DAILY":
            return Repeat.DAILY
        case "WEEKLY":
            return Repeat.WEEKLY
        case "MONTHLY":
            return Repeat.MONTHLY_WEEKDAY if "BYDAY" in said else Repeat.MONTHLY_DATE
        case "YEARLY":
            return Repeat.YEARLY
    raise RuleRefused(f"FREQ={said.get('FREQ', '')}", "FREQ")


def _number(said: dict[str, str], name: str, most: int) -> int | None:
    if name not in said:
        return None
    value = said[name]
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and 0 < int(value) <= most):
        raise RuleRefused(f"{name}={value}", name)
    return int(value)


def _days(said: dict[str, str], repeat: Repeat) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which weeks of the month, and which weekdays. Each of the weeks has each of the weekdays."""
    if "BYDAY" not in said:
        return (), ()
    named = [(day[:-2], day[-2:]) for day in said["BYDAY"].split(",")]
    weeks = {"": 0} if repeat is Repeat.WEEKLY else {str(week): week for week in WEEKS}
    weeks |= {f"+{week}": week for week in weeks.values() if week > 0}
    refused = RuleRefused(f"BYDAY={said['BYDAY']}", f"BYDAY {repeat}")
    if repeat not in (Repeat.WEEKLY, Repeat.MONTHLY_WEEKDAY) or any(w not in weeks or d not in DAYS for w, d in named):
        raise refused
    pairs = {(weeks[week], DAYS.index(day)) for week, day in named}
    which = tuple(sorted({week for week, _ in pairs if week}, key=WEEKS.index))
    weekdays = tuple(sorted({day for _, day in pairs}))
    if len(pairs) != max(1, len(which)) * len(weekdays):
        raise refused
    return which, weekdays


def _week_begins(said: dict[str, str], repeat: Repeat, interval: int, weekdays: tuple[int, ...], first: date) -> None:
    """Weeks begin on Monday. Another day says the same where no week is left out, or only that of the first time counts
    of each."""
    value = said.get("WKST", "MO")
    matters = repeat is Repeat.WEEKLY and interval > 1 and weekdays not in ((), (first.weekday(),))
    if value not in DAYS or (value != "MO" and matters):
        raise RuleRefused(f"WKST={value}", "WKST")


def _kept(name: str, repeat: Repeat, said: Collection[str]) -> bool:
    """Whether a part that says what the first time says already goes with the rest. A day of a year is one of each
    month unless the month is named, too (RFC 5545, 3.3.10)."""
    if name == "BYMONTHDAY":
        return repeat is Repeat.MONTHLY_DATE or (repeat is Repeat.YEARLY and "BYMONTH" in said)
    return repeat is Repeat.YEARLY


def _until(said: dict[str, str], start: datetime, zone: tzinfo) -> date | None:
    """The last date on which it can begin."""
    if "UNTIL" not in said:
        return None
    value = said["UNTIL"]
    try:
        until = in_our_years(_last(value, zone))
    except (ValueError, OverflowError):
        raise RuleRefused(f"UNTIL={value}", "UNTIL") from None
    last = until.date() - timedelta(days=until.time() < start.time())
    if last < start.date():
        raise RuleRefused(f"UNTIL={value}", "UNTIL")
    return last


def _last(value: str, zone: tzinfo) -> datetime:
    """The last instant that an UNTIL names, local. Raises ValueError and OverflowError for none."""
    if "T" not in value:
        return datetime.combine(datetime.strptime(value, "%Y%m%d"), time.max)  # noqa: DTZ007 - a date has no zone
    local = datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local if it has no Z
    return local.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if value.endswith("Z") else local
