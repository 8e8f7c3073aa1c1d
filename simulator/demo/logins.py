"""Who can log in at the demo? One invented person for each thing that an account can be."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from unicodedata import normalize

from sqlmodel import Session, select

from policy.bundle import Bundle, Role
from policy.terms import Instant
from server.audit import Decided
from server.changes.accounts import end_sessions, invite, take_up
from server.changes.channels import choose
from server.changes.messages import Channel
from server.models import Account
from server.queries.accounts import at_the_machine
from simulator.demo.bench_badges import carnet_holder, fabricator, next_shift

CHANNELS = (
    ("gardien", Channel.NTFY, "casaco-gardien"),
    ("carnet", Channel.NTFY, "casaco-carnet"),
    ("accueil", Channel.WEBHOOK, "accueil"),
)


class Login(NamedTuple):
    """login: what is typed. member: whose it is, by id. what: for whoever reads the terminal."""

    login: str
    member: str
    name: str
    what: str


def logins(bundle: Bundle, start: date) -> Sequence[Login]:
    """Beside the administrator, who is no member. start: the demo's first day; its first gardien can log in."""

    def of(login: str, member: str, what: str) -> Login:
        name = next(one.name for one in bundle.members if one.id == member)
        return Login(login, member, name, what)

    def with_role(role: Role) -> str:
        return next(member.id for member in bundle.members if role in member.roles)

    first = next_shift(bundle, start.isoformat())
    return (
        of("accueil", with_role(Role.STAFF), "the desk"),
        of("gardien", first.gardien, f"holds the place on {first.start[:10]} from {first.start[11:16]}"),
        of("fablab", with_role(Role.FAB_MANAGER), "manages the fablab"),
        of("fabriqueur", fabricator(bundle, start.isoformat()), "is trained and has booked the CNC"),
        of("carnet", carnet_holder(bundle).id, "a member with a carnet"),
    )


def by_mail(bundle: Bundle, known: Sequence[Login]) -> Sequence[Login]:
    """The other gardiens and the rest of the team, whose login is the address at which they are written to."""
    with_login = {one.member for one in known}
    others = [m for m in bundle.members if {Role.GARDIEN, Role.STAFF} & set(m.roles) and m.id not in with_login]
    return [Login(address(m.name), m.id, m.name, "") for m in others]


def everybodys(bundle: Bundle, start: date) -> Sequence[Login]:
    known = logins(bundle, start)
    return (*known, *by_mail(bundle, known))


def login_of(bundle: Bundle, start: date) -> Mapping[str, str]:
    """The login of each member who has an account."""
    return {one.member: one.login for one in everybodys(bundle, start)}


def address(name: str) -> str:
    """Of somebody of the demo: as violette.allegre@casaco.example."""
    plain = normalize("NFD", name.lower()).encode("ascii", "ignore").decode()
    return f"{'.'.join(re.findall('[a-z]+', plain))}@casaco.example"


def choose_channels(session: Session, wanted: Sequence[Login], now: Instant) -> None:
    """How those are told something whose login is no address; they may choose otherwise on Moi."""
    member = {one.login: one.member for one in wanted}
    for login, channel, to in CHANNELS:
        choose(session, Decided("demo", now), member[login], channel, to, {channel}, quiet=False)


def make(session: Session, wanted: Sequence[Login], password_hash: str) -> None:
    """The accounts that are not there yet, all with one password."""
    there = set(session.exec(select(Account.login)))
    now = datetime.now(UTC)
    for one in wanted:
        if one.login not in there:
            token = invite(session, at_the_machine("demo"), now, login=one.login, member=one.member)
            take_up(session, token, now, password_hash=password_hash, device="demo")
            end_sessions(session, session.exec(select(Account).where(Account.login == one.login)).one())
