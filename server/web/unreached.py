"""Whom did no mail tell? Named to whoever decided, who tells them."""

from collections.abc import Sequence

from server.text.translate import gettext
from server.web.sessions import context
from server.web.told import tell


def tell_unreached(members: Sequence[str]) -> None:
    """Nothing where there are none."""
    people = context().current().people.people
    if names := ", ".join(people[who].member.name for who in dict.fromkeys(members) if who in people):
        tell(gettext("À prévenir vous-même, faute de courriel : %(names)s.", names=names))
