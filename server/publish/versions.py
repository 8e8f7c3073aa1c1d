"""Which number does what the server publishes get? The next one when it changed; it only ever grows."""

from sqlmodel import Session

from policy.terms import Instant
from server.database.types import moment
from server.models import Published, Versioned
from wire.messages import hash_of


def number(session: Session, lane: Versioned, body: bytes, now: Instant) -> int:
    """The version of this body: the last one's if it is the same, else the next."""
    digest = hash_of(body)
    last = session.get(Published, lane)
    if last is None:
        session.add(Published(id=lane, version=1, hash=digest, issued=moment(now)))
        return 1
    if last.hash != digest:
        last.version, last.hash, last.issued = last.version + 1, digest, moment(now)
    return last.version
