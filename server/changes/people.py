"""What does the desk decide about members and their badges? Each function is one change, in the caller's transaction.

It is checked by the rules of a bundle, written by its differences and audited (server/changes/bundle.py); what comes of
it is a value. Rules go by it: they are to be published then. Raises ChangeRefusedError for what is not there, or not
for whoever wants it to decide.
"""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from sqlmodel import Session, col, select

from policy.bundle import Bundle, Credential, Member, Part
from policy.check import KEYS, REFERENCES, contradictions
from policy.forms import malformed
from policy.uids import Doubt, decimals, digits, doubt
from server import models
from server.audit import Decided
from server.changes.bundle import end, put
from server.changes.outcomes import Wrong
from server.errors import ChangeRefusedError, Refused
from server.publish.bundle import held, site_said
from server.queries.accounts import Caller
from server.queries.member import is_erased
from server.roles import ADMINS

NAMES_MEMBERS = tuple((name, key) for name, key, target in REFERENCES if target == "members")
EVENINGS = frozenset({"rota", "rota_changes"})
"""What stays without its gardien: an evening of the rota is a gap then."""
COMES_BACK = ("passes", "certifications", "credits")
"""What a member who returns has again, beside their badges."""


@dataclass(frozen=True, slots=True)
class Done:
    """badge: its row in the table, of a change of one."""

    member: str
    badge: int = 0


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else changed the member since whoever decides has seen them: so they are now."""

    now: Member


@dataclass(frozen=True, slots=True)
class Choose:
    """A number in decimal digits: what it may mean, in hex."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody has the badge already, perhaps the member themselves."""

    uid: str
    holder: str


@dataclass(frozen=True, slots=True)
class InStock:
    """It is a day badge, which is lent."""

    number: int


Outcome = Done | Wrong | Meanwhile | Choose | Taken | InStock | Doubt


def add(session: Session, by: Caller, decided: Decided, wanted: Member) -> Done | Wrong:
    """A new member, under an id that nobody had; whose id it is already, as of a form sent twice, stays as they are."""
    _require_over(by, (), wanted.roles)
    if session.get(models.Member, wanted.id) is not None:
        return Done(wanted.id)
    return _put(session, decided, wanted)


def change(session: Session, by: Caller, decided: Decided, seen: Member | None, wanted: Member) -> Outcome:
    """seen: the member as whoever decides has seen them; nothing is overwritten that somebody changed since."""
    now = known_member(session, wanted.id)
    if now == wanted:
        return Done(now.id)
    if now != seen:
        return Meanwhile(now)
    _require_over(by, now.roles, wanted.roles)
    return _put(session, decided, wanted)


def set_status(session: Session, decided: Decided, member: str, status: str) -> Done | Wrong:
    """Suspend a member, or not any more: `suspended`, `active`."""
    now = known_member(session, member)
    if status not in ("active", "suspended"):
        return Wrong(("status",))
    if status == "suspended" and not decided.why:
        return Wrong(("why",))
    return _put(session, decided, replace(now, status=status))


def end_member(session: Session, by: Caller, decided: Decided, member: str) -> Done:
    """They are no member any more, and what is theirs ends with them; their history stays."""
    _require_over(by, known_member(session, member).roles, ())
    for name, key in NAMES_MEMBERS:
        theirs = held(session, name, {key: member})
        if name in EVENINGS:
            put(session, [replace(part, gardien=None) for part in theirs], decided)
        elif theirs:
            end(session, name, [_key(name, part) for part in theirs], decided)
    end(session, "members", [(member,)], decided)
    return Done(member)


def return_member(session: Session, by: Caller, decided: Decided, member: str) -> Done | Wrong:
    """They are a member again, with what ended together with them and is nobody else's now."""
    row = session.get(models.Member, member)
    if row is None or row.ended is None or is_erased(member):
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    known, gone = row.said(), row.ended
    _require_over(by, (), known.roles)
    theirs: list[Part] = [part for name in COMES_BACK for part in held(session, name, {"member": member}, gone)]
    badges = held(session, "credentials", {"member": member}, gone)
    theirs += [badge for badge in badges if not held(session, "credentials", {"uid": badge.uid})]
    if wrong := _wrong(session, known):
        return wrong
    put(session, [known, *theirs], decided)
    return Done(member)


def add_badge(session: Session, decided: Decided, member: str, written: str) -> Outcome:
    """Give a member a badge, by its number in any way of writing it that leaves no doubt."""
    known_member(session, member)
    uid = free_number(session, written)
    return hand_over(session, decided, Credential(uid=uid, member=member)) if isinstance(uid, str) else uid


def free_number(session: Session, written: str) -> str | Wrong | Choose | Taken | InStock | Doubt:
    """The number of a badge that is nobody's, hex; or why it is none, or whose it is."""
    try:
        uid = digits(written).upper()
    except ValueError:
        meant = decimals(written)
        return Choose(meant) if meant else Wrong(("uid",))
    if why := doubt(bytes.fromhex(uid)):
        return why
    stock = models.DayBadge
    for number in session.exec(select(stock.number).where(stock.uid == uid, col(stock.ended).is_(None))):
        return InStock(number)
    for other in held(session, "credentials", {"uid": uid}):
        return Taken(uid, other.member)
    return uid


def hand_over(session: Session, decided: Decided, badge: Credential) -> Done:
    """The badge is theirs from now on."""
    put(session, [badge], decided)
    row = models.Credential
    number = session.exec(select(row.id).where(row.uid == badge.uid, col(row.ended).is_(None))).one()
    return Done(badge.member, number or 0)


def set_badge(session: Session, decided: Decided, member: str, number: int, seen: str, status: str) -> Outcome:
    """Say what became of a badge. seen: its state as whoever decides has seen it. To make one good again wants why."""
    row = session.get(models.Credential, number)
    if row is None or row.ended is not None or row.member != member:
        raise ChangeRefusedError(Refused.BADGE_UNKNOWN)
    if status not in ("active", "lost", "stolen", "returned"):
        return Wrong(("status",))
    if row.status == status:
        return Done(member, number)
    if row.status != seen:
        raise ChangeRefusedError(Refused.BADGE_CHANGED)
    if status == "active" and not decided.why:
        return Wrong(("why",))
    [badge] = held(session, "credentials", {"uid": row.uid})
    put(session, [replace(badge, status=status)], decided)
    return Done(member, number)


def known_member(session: Session, member: str) -> Member:
    """Raises ChangeRefusedError for whoever is none, or not any more."""
    row = session.get(models.Member, member)
    if row is None or row.ended is not None:
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    return row.said()


def _require_over(by: Caller, before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
    """To give or take a role is for whoever administers."""
    if set(before) != set(after) and not by.roles & ADMINS:
        raise ChangeRefusedError(Refused.NOT_ALLOWED)


def _put(session: Session, decided: Decided, wanted: Member) -> Done | Wrong:
    if wrong := _wrong(session, wanted):
        return wrong
    put(session, [wanted], decided)
    return Done(wanted.id)


def _wrong(session: Session, wanted: Member) -> Wrong | None:
    """What a bundle with this member in it would be refused for."""
    site = site_said(session)
    if site is None:
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    said = Bundle(
        format="loquet.bundle/1",
        site=site,
        access_points=held(session, "access_points"),
        tiers=held(session, "tiers"),
        members=(wanted,),
    )
    place = "members[0]."
    problems = [*malformed(said), *contradictions(said)]
    fields = [one.key.removeprefix(place) for one in problems if one.key.startswith(place)]
    if wanted.valid_from and wanted.valid_until and wanted.valid_until < wanted.valid_from:
        fields.append("valid_until")
    return Wrong(tuple(dict.fromkeys(fields))) if fields else None


def _key(name: str, part: Part) -> tuple[Any, ...]:
    key = KEYS[name](part)
    return key if isinstance(key, tuple) else (key,)
