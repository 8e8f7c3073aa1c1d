"""Which evenings want a gardien, week after week? A pattern added, changed from a day on, ended: the past stays.

A change from a day on ends the pattern the day before and begins another one; what was arranged for single dates goes
along where the new one makes an evening on them. Each function is one change, in the caller's transaction, audited.
"""

from datetime import date, timedelta
from secrets import token_hex

from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import Bundle, Pattern, Role
from policy.calendar import minutes
from policy.check import contradictions
from policy.forms import malformed
from policy.rota import WEEK, monday, slot_on
from server.audit import Decided
from server.changes.bundle import end, put
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.changes.rota import Ground, ground
from server.publish.bundle import held
from server.queries.rota import rota_known, turns

LOOKED_AT = timedelta(weeks=8)
"""So far ahead it is looked whether somebody would hold two evenings at one time."""
LONGEST = 12 * 60
"""Minutes: what is longer is two hours in the wrong order, and the place would be announced as held all day."""
PLACES = {"from": "hours", "to": "hours"}
"""What a bundle calls a field that the form has under another name."""


def add(session: Session, decided: Decided, wanted: Pattern) -> Done | Wrong:
    """A new one, under an id that nobody had; from a day that is not past."""
    here = ground(session, decided)
    if wanted.since is None or wanted.since < _today(here):
        return Wrong(("since",))
    if wrong := _wrong(here, wanted):
        return Wrong(wrong)
    put(session, [wanted], decided)
    return Done()


def change(
    session: Session, decided: Decided, seen: Pattern, wanted: Pattern, later: int = 0
) -> Done | Wrong | Meanwhile:
    """seen: the pattern as whoever decides has seen it. wanted.since: the day from which it is another one.

    later: see in_its_weeks().
    """
    here = ground(session, decided)
    known = next((one for one in here.bundle.rota if one.id == seen.id), None)
    if known != seen:
        return Meanwhile()
    if wanted.since is None or wanted.since < _today(here):
        return Wrong(("since",))
    since = wanted.since
    wanted = in_its_weeks(known, wanted, later)
    before = replace(known, until=since - timedelta(days=1))
    begun = known.since is None or known.since < since
    new = replace(wanted, id=f"rota-{token_hex(6)}" if begun else known.id)
    if wrong := _wrong(here, new, instead_of=known, before=before if begun else None):
        return Wrong(wrong)
    if not begun:
        put(session, [new], decided)
        _move(here, known, new, date.min)
        return Done()
    put(session, [before, new], decided)
    _move(here, known, new, since)
    return Done()


def stop(session: Session, decided: Decided, seen: Pattern, last: date) -> Done | Wrong | Meanwhile:
    """last: its last day, which is not before yesterday."""
    here = ground(session, decided)
    known = next((one for one in here.bundle.rota if one.id == seen.id), None)
    if known != seen:
        return Meanwhile()
    if last < _today(here) - timedelta(days=1):
        return Wrong(("last",))
    later = [(one.rota, one.date) for one in here.bundle.rota_changes if one.rota == known.id and one.date > last]
    end(session, "rota_changes", later, decided)
    put(session, [replace(known, until=last)], decided)
    return Done()


def in_its_weeks(known: Pattern, wanted: Pattern, later: int = 0) -> Pattern:
    """Where a pattern of each second week goes on so, it is another one from the next of its own weeks on: else a
    change in a week between them would make those its weeks. later: so many weeks after its own are its new ones."""
    since = wanted.since
    if since is None or known.since is None or known.every == 1 or wanted.every != known.every:
        return wanted
    apart = ((monday(since) - monday(known.since)) // WEEK - later) % known.every
    return wanted if apart == 0 else replace(wanted, since=monday(since) + (known.every - apart) * WEEK)


def _is_twice(here: Ground, wanted: Pattern, instead_of: Pattern | None) -> bool:
    """Whether another pattern already makes the same evenings, for nobody or for the same gardien.

    Where two hold each evening, both may give theirs up: that looks for two, and not twice for one.
    """
    known = None if instead_of is None else replace(instead_of, gardien=None)
    others = [one for one in here.bundle.rota if one != instead_of and one.id != wanted.id]
    by_two = [one for one in others if wanted.gardien is None and known and _same(replace(one, gardien=None), known)]
    return any(_same(one, wanted) for one in others if one not in by_two)


def _same(one: Pattern, other: Pattern) -> bool:
    first, last = ((pattern.since or date.min, pattern.until or date.max) for pattern in (one, other))
    plain = [replace(pattern, id="", since=None, until=None, holidays=False) for pattern in (one, other)]
    if plain[0] != plain[1] or first[0] > last[1] or last[0] > first[1]:
        return False
    return one.every == 1 or (monday(last[0]) - monday(first[0])) // WEEK % one.every == 0


def _today(here: Ground) -> date:
    return here.calendar.date_at(here.decided.at)


def _move(here: Ground, before: Pattern, new: Pattern, since: date) -> None:
    """What is other on single dates from that day on belongs to the new pattern, where it makes a slot."""
    later = [one for one in here.bundle.rota_changes if one.rota == before.id and one.date >= since]
    plain = rota_known(replace(here.bundle, rota=(new,), rota_changes=()))
    kept = [one for one in later if slot_on(plain, new, one.date) is not None]
    gone = [one for one in later if new.id != before.id or one not in kept]
    end(here.session, "rota_changes", [(one.rota, one.date) for one in gone], here.decided)
    put(here.session, [replace(one, rota=new.id) for one in kept], here.decided)


def _wrong(
    here: Ground, wanted: Pattern, instead_of: Pattern | None = None, before: Pattern | None = None
) -> tuple[str, ...]:
    """The fields that a bundle would be refused for, or by which somebody would hold two evenings at one time."""
    said = Bundle(
        format="loquet.bundle/1",
        site=here.bundle.site,
        access_points=held(here.session, "access_points"),
        tiers=held(here.session, "tiers"),
        members=here.bundle.members,
        rota=(wanted,),
    )
    place = "rota[0]."
    problems = [one.key for one in (*malformed(said), *contradictions(said)) if one.key.startswith(place)]
    fields = [PLACES.get(key.removeprefix(place), key.removeprefix(place)) for key in problems]
    holder = next((one for one in here.bundle.members if one.id == wanted.gardien), None)
    if holder is not None and Role.GARDIEN not in holder.roles:
        fields.append("gardien")
    if not fields and _is_twice(here, wanted, instead_of):
        fields.append("twice")
    if wanted.start == wanted.end:
        fields.append("hours")
    elif not fields and (minutes(wanted.end, as_end=True) - minutes(wanted.start)) % (24 * 60) > LONGEST:
        fields.append("long")
    if not fields and wanted.gardien is not None and wanted.since is not None:
        others = tuple(one for one in here.bundle.rota if one != instead_of)
        tried = replace(here.bundle, rota=(*others, wanted, *((before,) if before is not None else ())))
        coming = [one for one in turns(tried, wanted.since, wanted.since + LOOKED_AT) if one.gardien == wanted.gardien]
        own = [one for one in coming if one.pattern == wanted.id]
        if any(one.meets(other) for one in own for other in coming if other.key != one.key):
            fields.append("gardien")
    return tuple(dict.fromkeys(fields))
