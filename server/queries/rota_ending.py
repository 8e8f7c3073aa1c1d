"""Does the place stop being held in a moment, with nobody to take over? The shift whose gardien may stay longer."""

from datetime import timedelta

from policy.bundle import Bundle
from policy.terms import MINUTE, Instant
from server.queries.current import Current
from server.queries.now import Picture
from server.queries.rota import Turn, near, turns

SOON: Instant = 30 * MINUTE
"""So long before its end it is said that nobody follows."""


def ending(seen: Picture, current: Current, bundle: Bundle, member: str) -> Turn | None:
    """The member's turn, when the place is held by it alone, it ends soon and nobody follows: no other turn that has a
    gardien, and no hours of the team. bundle: the evenings as they stand. None in a lockdown."""
    now, at = seen.opening, seen.at
    if seen.lockdown is not None or member not in now.held_by or now.relays or now.until is None:
        return None
    if not at < now.until <= at + SOON:
        return None
    today = current.calendar.date_at(at)
    mine = (one for one in turns(bundle, today - timedelta(days=1), today) if one.gardien == member)
    turn = next((one for one in mine if one.start <= at and one.end == now.until), None)
    return None if turn is None or _followed(bundle, turn, current.rules.shift_grace) else turn


def _followed(bundle: Bundle, turn: Turn, grace: Instant) -> bool:
    others = (one for one in near(bundle, turn) if one.gardien not in (None, turn.gardien))
    return any(one.start <= turn.end + grace and one.end > turn.end for one in others)
