"""Does whoever asks hold the place at this moment? Then they may for the while what only staff may otherwise."""

from flask import g

from server.queries.now import holds
from server.web.sessions import account, context


def holds_place() -> bool:
    """Whether this is the account of a gardien who holds the place now: inside, and on their shift."""
    if "holds_place" not in g:
        known = account()
        g.holds_place = False
        if known is not None and known.member is not None:
            here = context()
            with here.database.reading() as session:
                g.holds_place = holds(session, here.current(), here.clock(), known.member)
    return g.holds_place  # type: ignore[no-any-return]
