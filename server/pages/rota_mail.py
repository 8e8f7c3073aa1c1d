"""Who hears by mail of a change of the rota? In French: nobody knows another language of whoever reads it.

Queued in the transaction of the change: what was done is told, and nothing else.
"""

from collections.abc import Iterable
from datetime import timedelta

from flask import has_request_context, request
from sqlmodel import Session

from policy.bundle import Role
from policy.terms import DAY, Instant
from server.changes.notices import tell_member
from server.changes.rota import Turned
from server.changes.rota_absences import Away
from server.changes.rota_swaps import Swap
from server.queries.rota import Turn
from server.queries.rota_days import gardiens
from server.text import rota as text
from server.text import rota_mail as words
from server.text.translate import gettext, in_french
from server.web.sessions import context, now, signed_in

WANTED = 7 * DAY
"""How long an answer is worth telling."""


def tell_free(session: Session, made: Turned, member: str) -> None:
    """The other gardiens: an evening is offered or given back."""
    if not made.fresh:
        return
    others = [who for who in gardiens(context().current(), made.now.day) if who != member]
    said = words.GIVEN_BACK if made.now.gardien is None else words.OFFERED
    by_hand = [who for who in others if who != signed_in().member]
    tell_turn(session, signed_in().login, made.now, by_hand, said, member)


def tell_given(session: Session, made: Turned, to: str, presser: str | None) -> None:
    """Whose evening it was, and whose it is, where somebody else pressed."""
    by = signed_in().login
    if made.before.gardien not in (None, presser, to):
        tell_turn(session, by, made.now, [made.before.gardien or ""], words.TAKEN, to)
    if to != presser:
        tell_turn(session, by, made.now, [to], words.GIVEN, to)


def tell_hours(session: Session, made: Turned, member: str, inside: Iterable[str], *, later: bool) -> None:
    """The team, the other gardiens and who is inside: an evening begins later, or ends earlier."""
    current = context().current()
    team = [one.id for one in current.bundle.members if Role.STAFF in one.roles and one.status == "active"]
    others = [*gardiens(current, made.now.day), *team, *inside]
    to = [who for who in others if who not in (member, signed_in().member)]
    tell_turn(session, signed_in().login, made.now, to, words.LATER if later else words.EARLIER, member)


def tell_swap(session: Session, swap: Swap | None, to: str, said: tuple[str, str], who: str) -> None:
    """Whom it is proposed to, and who proposed it once it is answered."""
    with in_french():
        name = text.name(context().current(), who)
        pairs = swap.pairs if swap is not None else ()
        lines = [
            gettext("%(mine)s contre %(theirs)s", mine=text.within(mine), theirs=text.within(theirs))
            for mine, theirs in pairs
        ]
        last = max((turn.end for pair in pairs for turn in pair), default=context().clock() + WANTED)
        left = last - context().clock()
        tell(session, signed_in().login, [to], said, left, who=name, lines="".join(f"{line}\n" for line in lines))


def tell_away(session: Session, away: Away, member: str) -> None:
    """The other gardiens, of all evenings that look for somebody at once."""
    if not away.turns:
        return
    with in_french():
        current = context().current()
        lines = "".join(f"{text.within(turn)}\n" for turn in away.turns)
        others = [who for who in gardiens(current, away.turns[0].day) if who not in (member, signed_in().member)]
        left = away.turns[-1].end - context().clock()
        who = text.name(current, member)
        tell(session, signed_in().login, others, words.AWAY, left, who=who, lines=lines)


def tell_turn(
    session: Session, by: str, turn: Turn, to: Iterable[str], said: tuple[str, str], who: str | None = None
) -> None:
    """About one evening, until it is over. who: of whom it is said."""
    with in_french():
        more = {"when": text.within(turn), "who": text.name(context().current(), who)}
        tell(session, by, to, said, turn.end - context().clock(), **more)


def tell(session: Session, by: str, to: Iterable[str], said: tuple[str, str], left: Instant, **more: str) -> None:
    """left: how long anybody wants to know it, ms. The page's address comes last."""
    known = context()
    if not known.channels or left <= 0:
        return
    with in_french():
        subject, body = (gettext(part, **more) for part in said)
        host = known.address or (request.host_url if has_request_context() else "")
        if host:
            body += f"\n{host.rstrip('/')}{words.PAGE}\n"
        at = now()
        until = at + timedelta(milliseconds=left)
        for one in dict.fromkeys(to):
            tell_member(session, by, at, one, known.channels, about="rota", subject=subject, body=body, until=until)
