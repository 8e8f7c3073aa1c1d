"""Which number does what the server publishes get? The next one when it changed; it only ever grows."""

from enum import IntEnum

from sqlmodel import Session

from policy.terms import Instant
from server.db import moment
from server.models import Published
from wire.messages import hash_of


class Lane(IntEnum):
    """What has versions. The value: its row in the table."""

    RULES = 1
    STATE = 2


def number(session: Session, lane: Lane, body: bytes, now: Instant) -> int:
    """The version of this body: the last one's if it is the same, else the next."""
    digest = hash_of(body)
    last = session.get(Published, lane)
    if last is None:
        session.add(Published(id=lane, version=1, hash=digest, issued=moment(now)))
        return 1
    if last.hash != digest:
        last.version, last.hash, last.issued = last.version + 1, digest, moment(now)
    return last.version


JUMP = 1_000_000
"""At most so far above its own does the server follow a version that an edge reports: years of changes."""
CEILING = 2**30
"""No edge, honest or not, gets it above that; there it goes on by ones."""


def outdone(session: Session, lane: Lane, held: int, digest: str | None) -> bool:
    """Whether an edge holds a version that was never made here, or was made with another body than this.

    So it is where this database was restored from a backup. What is published next gets a version above the edge's:
    edges take nothing else. digest: of the body that it holds, None where it does not say.
    """
    last = session.get(Published, lane)
    if last is None or not last.version <= held <= min(last.version + JUMP, CEILING):
        return False
    if held == last.version and digest in (last.hash, None):
        return False
    last.version, last.hash = held, ""
    return True
