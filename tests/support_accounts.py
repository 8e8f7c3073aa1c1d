"""Somebody's account in tests of pages: made by a link, as anybody's."""

from datetime import UTC, datetime

from flask.testing import FlaskClient

from server.changes import accounts
from server.queries.accounts import at_the_machine
from tests.support_pages import CHEAP_HASH, Place


def account_of(place: Place, member: str) -> FlaskClient:
    """A client that is logged in as this member, who has just shown their password."""
    now = datetime.now(UTC)
    with place.database.transaction() as session:
        token = accounts.invite(session, at_the_machine("root"), now, login=member, member=member)
    with place.database.transaction() as session:
        begun = accounts.take_up(session, token, now, password_hash=CHEAP_HASH, device="")
    client = place.app.test_client()
    client.set_cookie("loquet", begun)
    return client
