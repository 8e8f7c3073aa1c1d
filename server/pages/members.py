"""Whom must I look after, and where is somebody's page? /members: those first, then all A to Z; search; views."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.terms import Instant
from server.queries.current import Current
from server.queries.enrolment import Unknown, unknown, unknown_of
from server.queries.member import former
from server.queries.people import Person, Watch, folded
from server.text import people as text
from server.text.enrolment import laid
from server.text.named import reader_at
from server.text.translate import gettext
from server.web.faults import WrongAddressError
from server.web.sessions import context

page = Blueprint("members", __name__)

PER_PAGE = 50
FIRST = 20
"""Lines of those to look after that stand before the others; the rest is one press away."""
ALL, WATCH, FORMER = "all", "watch", "former"


@dataclass(frozen=True, slots=True)
class Line:
    """One member of the list. badge: the end of its number. others: how many badges more."""

    id: str
    name: str
    tier: str
    carnet: str
    badge: str
    others: int
    roles: str
    concerns: tuple[text.Said, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """One view among several, with the number of people in it, None where nobody counted."""

    label: str
    address: str
    chosen: bool
    count: int | None = None
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Laid:
    """An unknown badge: when and where it was laid, and the address of the list in which its owner is picked."""

    words: str
    address: str


@page.get("/members", endpoint="page")
def show() -> ResponseReturnValue:
    """Raises WrongAddressError for a view or a page that is not there."""
    known, view, asked = context(), request.args.get("view", ALL), request.args.get("q", "").strip()
    at, current = known.clock(), known.current()
    with known.database.reading() as session:
        watch = current.people.watch(session, current, at)
        strange = [_laid(one, current, at) for one in unknown(session, current, at)]
        picked = unknown_of(session, current, at, request.args.get("badge", ""))
        first, rest = ([], _former(session, asked)) if view == FORMER else _found(current, watch, view, asked)
    start = _start(len(rest))
    return render_template(
        "members.html",
        count=len(current.people.people),
        watched=len(watch.concerns),
        chips=_chips(current, watch, view),
        asked=asked,
        first=[_line(one, current, watch) for one in first[:FIRST]] if not start else [],
        more=max(0, len(first) - FIRST),
        rest=[_line(one, current, watch) for one in rest[start : start + PER_PAGE]],
        start=start,
        total=len(rest),
        before=_address(view, asked, start // PER_PAGE) if start else None,
        after=_address(view, asked, start // PER_PAGE + 2) if start + PER_PAGE < len(rest) else None,
        watch_address=_address(WATCH, asked, 1),
        view=view,
        strange=strange,
        picked=picked,
        picked_words=_laid(picked, current, at).words if picked is not None else "",
    )


def _laid(one: Unknown, current: Current, at: Instant) -> Laid:
    return Laid(laid(one.at, at, reader_at(current.called, one.reader)), _address(ALL, "", 1, str(one.row)))


def _start(total: int) -> int:
    """The first line of the page that is asked for."""
    written = request.args.get("page", "1")
    start = (int(written) - 1) * PER_PAGE if written.isdecimal() and len(written) < 6 else -1
    if start and not 0 < start < total:
        raise WrongAddressError(gettext("La liste n’a pas de page « %(page)s ».", page=written[:20]))
    return start


def _found(current: Current, watch: Watch, view: str, asked: str) -> tuple[Sequence[Person], Sequence[Person]]:
    """Those to look after, where the view shows everybody, and the others; A to Z, those whom the search leaves."""
    if view == ALL and not asked:
        return watch.first, watch.rest
    people = current.people.find(asked) if asked else current.people.people.values()
    if view == ALL:
        found = tuple(people)
        first = [one for one in found if one.member.id in watch.concerns]
        return first, [one for one in found if one.member.id not in watch.concerns]
    kind, _, which = view.partition(":")
    if view == WATCH:
        return [], [one for one in people if one.member.id in watch.concerns]
    if kind == "tier" and which in current.called.tiers:
        return [], [one for one in people if one.member.tier == which]
    if kind == "role" and which in text.ROLES:
        return [], [one for one in people if which in one.member.roles]
    raise WrongAddressError(gettext("La liste n’a pas de vue « %(view)s ».", view=view[:40]))


def _former(session: Session, asked: str) -> list[Person]:
    """Those who were members, the last to leave first, and whom the search leaves."""
    words = folded(asked).split()
    gone = [Person(one, (folded(one.name), one.id), (), ()) for one in former(session)]
    return [one for one in gone if all(word in one.read for word in words)]


def _line(one: Person, current: Current, watch: Watch) -> Line:
    left = watch.carnets.get(one.member.id)
    tier = current.called.tier(one.member.tier)
    good = [badge for badge in one.badges if badge.status == "active"] or list(one.badges[-1:])
    return Line(
        id=one.member.id,
        name=one.member.name,
        tier=tier,
        carnet=text.short_carnet(left) if left is not None else "",
        badge=text.badge(good[0].uid) if good else "",
        others=max(0, len(good) - 1),
        roles=text.roles([role for role in one.member.roles if gettext(text.ROLES[role]) != tier]),
        concerns=tuple(text.said(concern) for concern in watch.concerns.get(one.member.id, ())),
    )


def _chips(current: Current, watch: Watch, view: str) -> list[list[Chip]]:
    """Whom to look after; formules; roles and former members."""

    def chip(which: str, label: str, count: int | None, colour: str = "") -> Chip:
        return Chip(label, _address(which, "", 1), which == view, count, colour)

    def role_chip(role: str, label: str) -> Chip:
        called = gettext("rôle %(role)s", role=label) if label in map(current.called.tier, people.tiers) else label
        return chip(f"role:{role}", called, people.roles[role])

    people = current.people
    tiers = sorted(people.tiers, key=current.called.tier)
    return [
        [chip(WATCH, gettext("à regarder"), len(watch.concerns), "amber")],
        [
            chip(ALL, gettext("tous"), len(people.people)),
            *(chip(f"tier:{tier}", current.called.tier(tier), people.tiers[tier]) for tier in tiers),
        ],
        [
            *(role_chip(role, gettext(label)) for role, label in text.ROLES.items()),
            chip(FORMER, gettext("anciens"), None),
        ],
    ]


def _address(view: str, asked: str, number: int, badge: str | None = None) -> str:
    """Of a page of the list; what is usual is left out. badge: whose owner is picked, None for the one that is."""
    return url_for(
        "members.page",
        view=view if view != ALL else None,
        q=asked or None,
        page=number if number > 1 else None,
        badge=badge or request.args.get("badge"),
    )
