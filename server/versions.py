"""Which number does what the server publishes get? The next one when it changed; it only ever grows."""

from enum import IntEnum
from hashlib import sha256

from sqlmodel import Session

from policy.terms import Instant
from server.db import moment
from server.models import Published


class Lane(IntEnum):
    """What has versions. The value: its row in the table."""

    RULES = 1
    STATE = 2


def number(session: Session, lane: Lane, body: bytes, now: Instant) -> int:
    """The version of this body: the last one's if it is the same, else the next."""
    digest = sha256(body).hexdigest()
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


def outran(session: Session, lane: Lane, held: int) -> bool:
    """Whether an edge holds a higher version than was ever made here: this database was restored from a backup.

    Then what is published next gets a version above it. Edges take nothing else.
    """
    last = session.get(Published, lane)
    if last is None or not last.version < held <= min(last.version + JUMP, CEILING):
        return False
    last.version, last.hash = held, ""
    return True
