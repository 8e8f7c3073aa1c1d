"""Is each value of a bundle well written? Ids, hours, times, UIDs, days paid.

Types and ranges are in policy/bundle.py.
"""

import re
from collections.abc import Iterator
from datetime import date
from unicodedata import normalize

from policy.bundle import Bundle, Pass, Site, Week
from policy.calendar import minutes, moment
from policy.errors import Problem
from policy.instants import YEARS, in_our_years
from policy.uids import digits

TOPIC_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BLANKS = {0xA0: " ", 0x202F: " "}
"""The no-break spaces of French: Porte «\u00a0Nord\u00a0»."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Invisible, and what stands beside them is read in another order than it is written."""
LONGEST_NAME = 200
"""Characters of a member's name, composed (Unicode's NFC)."""
_USED = {
    "day": re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})"),
    "half_day": re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(am|pm)"),
}
_USED_AS = {"day": "a day, as 2026-11-20", "half_day": "a half-day, as 2026-11-20am or 2026-11-20pm"}
TIMED = ("shifts", "events", "invitations", "bookings")
"""The collections whose objects have a start and an end."""


def malformed(bundle: Bundle) -> Iterator[Problem]:
    """Every value that is badly written, in the order of the file format."""
    yield from _topic_ids(bundle)
    yield from _ids(bundle)
    yield from _names(bundle)
    yield from _shown(bundle)
    yield from _site(bundle.site)
    for index, tier in enumerate(bundle.tiers):
        yield from _week(f"tiers[{index}].hours", tier.hours, tier.id)
    for index, credential in enumerate(bundle.credentials):
        try:
            digits(credential.uid)
        except ValueError as error:
            yield Problem(f"credentials[{index}].uid", credential.uid, str(error), credential.member)
    for index, carnet in enumerate(bundle.passes):
        yield from _used(f"passes[{index}].used", carnet.used, carnet)
        yield from _used(f"passes[{index}].given_back", carnet.given_back, carnet)
    for index, machine in enumerate(bundle.machines):
        yield from _week(f"machines[{index}].hours", machine.hours, machine.id)
    yield from _rota(bundle)
    yield from _moments(bundle)
    yield from _dates(bundle)


def _topic_ids(bundle: Bundle) -> Iterator[Problem]:
    """Ids that stand in a topic of the broker, or may name an edge that does."""
    named = [("site.id", bundle.site.id)]
    for index, point in enumerate(bundle.access_points):
        spot = f"access_points[{index}]"
        named += [(f"{spot}.id", point.id), (f"{spot}.readers.in", point.readers.in_)]
        if point.readers.out is not None:
            named.append((f"{spot}.readers.out", point.readers.out))
    for index, machine in enumerate(bundle.machines):
        named += [(f"machines[{index}].id", machine.id), (f"machines[{index}].reader", machine.reader)]
    for key, written in named:
        if not TOPIC_ID.fullmatch(written):
            yield Problem(key, written, "use 1 to 64 letters without accents, digits, - or _")


def _ids(bundle: Bundle) -> Iterator[Problem]:
    """The other ids, which only have to be visible."""
    for collection in ("tiers", "members", "passes", *TIMED, "kinds", "rota", "credits"):
        for index, part in enumerate(getattr(bundle, collection)):
            if not _is_visible(part.id):
                why = "an id has one character at least, all of them visible, and no space at either end"
                yield Problem(f"{collection}[{index}].id", part.id, why)


def _names(bundle: Bundle) -> Iterator[Problem]:
    """What may stand in place of an id on a page."""
    for collection in ("access_points", "tiers", "machines", "kinds"):
        for index, part in enumerate(getattr(bundle, collection)):
            if part.name is not None and not _is_visible(part.name.translate(_BLANKS)):
                why = "a name has visible characters only, and no space at either end: correct it or leave it out"
                yield Problem(f"{collection}[{index}].name", part.name, why, part.id)


def _shown(bundle: Bundle) -> Iterator[Problem]:
    """What must be given because a page shows it: it has to show something."""
    told: list[tuple[str, str, str | None]] = [("site.name", bundle.site.name, None)]
    told += [(f"members[{index}].name", member.name, member.id) for index, member in enumerate(bundle.members)]
    told += [(f"events[{index}].title", event.title, event.id) for index, event in enumerate(bundle.events)]
    for key, written, of in told:
        if _CONTROL.search(written) or not any(letter.isprintable() and letter != " " for letter in written):
            yield Problem(
                key, written, "write what people are to read: one visible character at least, on one line", of
            )
    for index, member in enumerate(bundle.members):
        key = f"members[{index}].name"
        if _BIDI.search(member.name):
            why = "a character in it turns the order of reading round: write the name without it"
            yield Problem(key, member.name, why, member.id)
        if len(normalize("NFC", member.name)) > LONGEST_NAME:
            yield Problem(key, member.name, f"a name has {LONGEST_NAME} characters at most: shorten it", member.id)


def _is_visible(written: str) -> bool:
    return bool(written) and written.isprintable() and written == written.strip()


def _site(site: Site) -> Iterator[Problem]:
    for key in ("day_cutoff", "half_day_split"):
        yield from _hour(f"site.{key}", getattr(site, key), None)
    yield from _week("site.staff_hours", site.staff_hours, None)
    for index, opening in enumerate(site.openings):
        for number, (start, end) in enumerate(opening.hours):
            yield from _range(f"site.openings[{index}].hours[{number}]", start, end, None)
    for index, closure in enumerate(site.closures):
        if closure.last < closure.first:
            yield Problem(f"site.closures[{index}].to", closure.last, f"is before its from, {closure.first}")
        if closure.why is not None and not _is_visible(closure.why.translate(_BLANKS)):
            why = "a reason has visible characters only, and no space at either end: correct it or leave it out"
            yield Problem(f"site.closures[{index}].why", closure.why, why)


def _rota(bundle: Bundle) -> Iterator[Problem]:
    for index, pattern in enumerate(bundle.rota):
        yield from _hour(f"rota[{index}].from", pattern.start, pattern.id)
        yield from _hour(f"rota[{index}].to", pattern.end, pattern.id, as_end=True)
    for index, change in enumerate(bundle.rota_changes):
        if change.start is not None:
            yield from _hour(f"rota_changes[{index}].start", change.start, change.rota)
        if change.end is not None:
            yield from _hour(f"rota_changes[{index}].end", change.end, change.rota, as_end=True)


def _week(key: str, week: Week, of: str | None) -> Iterator[Problem]:
    for day, ranges in week.items():
        for number, (start, end) in enumerate(ranges):
            yield from _range(f"{key}.{day}[{number}]", start, end, of)


def _range(key: str, start: str, end: str, of: str | None) -> Iterator[Problem]:
    yield from _hour(f"{key}[0]", start, of)
    yield from _hour(f"{key}[1]", end, of, as_end=True)


def _hour(key: str, written: str, of: str | None, *, as_end: bool = False) -> Iterator[Problem]:
    try:
        minutes(written, as_end=as_end)
    except ValueError as error:
        yield Problem(key, written, str(error), of)


def _used(key: str, names: tuple[str, ...], carnet: Pass) -> Iterator[Problem]:
    for number, used in enumerate(names):
        match = _USED[carnet.unit].fullmatch(used)
        try:
            day = date.fromisoformat(match[1] if match else "")
        except ValueError:
            why = f"a pass whose unit is {carnet.unit} names {_USED_AS[carnet.unit]}"
            yield Problem(f"{key}[{number}]", used, why, carnet.id)
        else:
            yield from _day(f"{key}[{number}]", day, carnet.id)


def _dates(bundle: Bundle) -> Iterator[Problem]:
    for index, closure in enumerate(bundle.site.closures):
        yield from _day(f"site.closures[{index}].from", closure.first, None)
        yield from _day(f"site.closures[{index}].to", closure.last, None, as_last=True)
    for index, opening in enumerate(bundle.site.openings):
        yield from _day(f"site.openings[{index}].date", opening.date, None)
    for index, member in enumerate(bundle.members):
        yield from _day(f"members[{index}].valid_from", member.valid_from, member.id)
        yield from _day(f"members[{index}].valid_until", member.valid_until, member.id, as_last=True)
    for index, credential in enumerate(bundle.credentials):
        yield from _day(f"credentials[{index}].valid_until", credential.valid_until, credential.uid, as_last=True)
    for index, carnet in enumerate(bundle.passes):
        yield from _day(f"passes[{index}].valid_from", carnet.valid_from, carnet.id)
        yield from _day(f"passes[{index}].valid_until", carnet.valid_until, carnet.id, as_last=True)
    for index, certification in enumerate(bundle.certifications):
        yield from _day(f"certifications[{index}].until", certification.until, certification.kind, as_last=True)
    for index, pattern in enumerate(bundle.rota):
        yield from _day(f"rota[{index}].since", pattern.since, pattern.id)
        yield from _day(f"rota[{index}].until", pattern.until, pattern.id, as_last=True)
    for index, change in enumerate(bundle.rota_changes):
        yield from _day(f"rota_changes[{index}].date", change.date, change.rota)
    for index, credit in enumerate(bundle.credits):
        yield from _day(f"credits[{index}].date", credit.date, credit.id)


def _day(key: str, day: date | None, of: str | None, *, as_last: bool = False) -> Iterator[Problem]:
    """as_last: it may be as late as there are dates: 9999-12-31 is how many write that something never ends."""
    if day is None or (as_last and day.year > YEARS[-1]):
        return
    try:
        in_our_years(day)
    except ValueError as error:
        yield Problem(key, day, str(error), of)


def _moments(bundle: Bundle) -> Iterator[Problem]:
    for collection in TIMED:
        for index, part in enumerate(getattr(bundle, collection)):
            for key in ("start", "end"):
                try:
                    moment(getattr(part, key))
                except ValueError as error:
                    yield Problem(f"{collection}[{index}].{key}", getattr(part, key), str(error), part.id)
