"""What would this evening earn its gardien if they left now? As the bank counts it at the end of the site day."""

from datetime import timedelta

from sqlmodel import Session

from policy.held import ADHOC, Moves, Watch, belonging, both, earned, length
from policy.terms import Instant
from server.queries.bank_rows import moves, opens
from server.queries.current import Current
from server.queries.rota import turns


def counted(session: Session, current: Current, gardien: str, at: Instant) -> int | None:
    """Minutes, of the shifts of this site day that have begun; None without a bank, and without such a shift."""
    bank, calendar = current.bundle.site.time_bank, current.calendar
    day_start = current.rules.day_start(at)
    if bank is None:
        return None
    today = calendar.date_at(at)
    held = [one for one in turns(current.bundle, today - timedelta(days=1), today) if one.gardien == gardien]
    shifts = [Watch(one.start, one.end, (one.key,), gardien) for one in held]
    made = [one for one in opens(session, day_start) if one.gardien == gardien]
    shifts += [Watch(one.start, one.end, (ADHOC, gardien, str(one.start)), gardien) for one in made]
    begun = [one for one in shifts if day_start < one.end and one.start <= at]
    known = Moves()
    for heard in moves(session, day_start, [gardien]):
        known.add(heard.move)
    minutes = 0
    for one in begun:
        own = belonging(one, begun)
        inside = both(own, known.inside(calendar, one.start, min(one.end, at)))
        minutes += earned(length(own), length(inside), bank, adhoc=one.source[0] == ADHOC)
    return minutes if begun else None
