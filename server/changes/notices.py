"""How is a member told something? By the channel that they chose, else by mail to the address that is their login."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from server.changes.messages import Channel, decided_at, queue
from server.errors import ChangeRefusedError
from server.models import Account, ChannelChoice
from server.publish.bundle import site_said

QUIET = time(22), time(8)
"""From when until when nothing arrives, by the clock of the site, for whoever wants their nights quiet."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a member is told something. quiet: not at night."""

    channel: Channel
    to: str
    quiet: bool


def reached(session: Session, member: str, channels: Collection[str]) -> Reached | None:
    """channels: those that server.toml names. None for whom nothing reaches."""
    choice, row = session.get(ChannelChoice, member), Account
    quiet = choice is not None and choice.quiet
    if choice is not None and choice.channel != Channel.MAIL and choice.channel in channels:
        return Reached(Channel(choice.channel), choice.address, quiet)
    login = session.exec(select(row.login).where(row.member == member, col(row.ended).is_(None))).first()
    if Channel.MAIL not in channels or login is None or "@" not in login:
        return None
    return Reached(Channel.MAIL, login, quiet)


def tell_member(
    session: Session,
    by: str,
    at: datetime,
    member: str,
    channels: Collection[str],
    *,
    about: str,
    subject: str,
    body: str,
    until: datetime,
) -> bool:
    """Whether something reaches them. by: the account that decided what is told. at: the wall clock's."""
    found = reached(session, member, channels)
    if found is None:
        return False
    try:
        queue(
            session,
            decided_at(by, at),
            at,
            about=about,
            to=found.to,
            subject=subject,
            body=body,
            until=until,
            channel=found.channel,
            due=_due(session, at, quiet=found.quiet),
        )
    except ChangeRefusedError:  # a login that only looks like an address
        return False
    return True


def _due(session: Session, at: datetime, *, quiet: bool) -> datetime:
    """At once, or when the night is over."""
    site = site_said(session)
    if not quiet or site is None:
        return at
    local = at.astimezone(ZoneInfo(site.timezone))
    evening, morning = QUIET
    if morning <= local.time() < evening:
        return at
    day = local.date() + timedelta(days=1) if local.time() >= evening else local.date()
    return datetime.combine(day, morning, local.tzinfo).astimezone(at.tzinfo)
