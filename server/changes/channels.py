"""By which channel is a member told something? Chosen by themselves; a first message says that it arrives."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from server.audit import Change, Decided, record
from server.changes.messages import ADDRESSES, Channel
from server.changes.people import known_member
from server.errors import ChangeRefusedError, Refused
from server.models import ChannelChoice, Message

TRIED = "channel"
"""What a first message is about."""
MOST_TRIED, TRIED_IN = 3, timedelta(hours=1)
"""So many of them somebody has sent in that time: nobody's telephone rings for as long as another presses."""


def may_try(session: Session, by: str, at: datetime) -> bool:
    """Whether a first message may go. by: the login of who chose. at: the wall clock's."""
    row = Message
    since = select(func.count()).where(row.about == TRIED, row.by == by, col(row.made) > at - TRIED_IN)
    return session.exec(since).one() < MOST_TRIED


def choose(
    session: Session,
    decided: Decided,
    member: str,
    channel: str,
    address: str,
    channels: Collection[str],
    *,
    quiet: bool,
) -> None:
    """channels: those that server.toml names; mail goes to the address that is their login. Raises ChangeRefusedError
    for a channel that is none of them, and for what is no address there."""
    known_member(session, member)
    if channel not in channels:
        raise ChangeRefusedError(Refused.CHANNEL_UNKNOWN)
    to = "" if channel == Channel.MAIL else address.strip()
    if channel != Channel.MAIL and not ADDRESSES[Channel(channel)].fullmatch(to):
        raise ChangeRefusedError(Refused.CHANNEL_ADDRESS)
    row = session.get(ChannelChoice, member)
    before = None if row is None else {"channel": row.channel, "quiet": row.quiet}
    row = row or ChannelChoice(member=member, channel=channel, address=to, quiet=quiet)
    row.channel, row.address, row.quiet = channel, to, quiet
    session.add(row)
    said = {"channel": channel, "quiet": quiet}
    record(session, decided, [Change(ChannelChoice, (member,), "changed" if before else "added", before, said)])
