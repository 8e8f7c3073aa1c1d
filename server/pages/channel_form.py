"""What can somebody choose to be told by? The form on Moi (its press is in server/pages/channels.py)."""

from secrets import token_hex

from sqlmodel import Session

from server.changes.messages import Channel
from server.changes.notices import reached
from server.queries.channels import choice_of
from server.queries.messages import bounced
from server.text.translate import N_, gettext
from server.web.sessions import context

NAMES = {
    Channel.MAIL: N_("courriel"),
    Channel.NTFY: N_("ntfy"),
    Channel.MATRIX: N_("Matrix"),
    Channel.WEBHOOK: N_("le robot du lieu"),
}


def offered(session: Session, member: str) -> dict[str, object] | None:
    """What the form on Moi shows; None where there is nothing to choose."""
    known, row = context().channels, choice_of(session, member)
    found = reached(session, member, known)
    if not known - {Channel.MAIL} and found is None:
        return None
    return {
        "names": [(one.value, gettext(name)) for one, name in NAMES.items() if one in known],
        "channel": found.channel.value if found is not None else "",
        "address": row.address if row is not None else "",
        "quiet": row is not None and row.quiet,
        "topic": f"loquet-{token_hex(8)}" if Channel.NTFY in known else "",
        "more": bool(known - {Channel.MAIL}),
        "name": gettext(NAMES[found.channel]) if found is not None else "",
        "gone": bounced(session, member) if found is not None and found.channel is Channel.MAIL else [],
    }
