"""ntfy, Matrix and a webhook: real sockets, a server that answers as they do, or 500, HTML, nothing; never twice."""

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from server.audit import Decided
from server.changes.channels import choose
from server.changes.messages import Channel, State
from server.changes.notices import tell_member
from server.channels import matrix, ntfy, webhook
from server.config import HttpConfig
from server.database.engine import Database
from server.errors import ChangeRefusedError
from server.models import AuditRow, ChannelChoice, Message
from server.outbox import Outbox
from tests.support_http import HTML, JSON, Double, http_double
from tests.support_pages import Place
from tests.support_rota import plain, rota_place, with_mail
from tests.support_server import DECIDED

pytestmark = pytest.mark.sqlite
NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)
TOPIC, ROOM, SECRET = "loquet-0123456789abcdef", "!abc:casaco.example", "token-that-nobody-reads"
ADDRESS = {Channel.NTFY: TOPIC, Channel.MATRIX: ROOM, Channel.WEBHOOK: "@brigitte"}
SENDS = {Channel.NTFY: ntfy, Channel.MATRIX: matrix, Channel.WEBHOOK: webhook}
GOOD = {Channel.NTFY: '{"id":"x"}', Channel.MATRIX: '{"event_id":"$x"}', Channel.WEBHOOK: "ok"}
ALL = frozenset(Channel)


def tell(database: Database, channel: Channel, at: datetime = NOON, *, quiet: bool = False) -> None:
    with database.transaction() as session:
        choose(session, DECIDED, "brigitte", channel, ADDRESS.get(channel, ""), ALL, quiet=quiet)
        until = at + timedelta(days=1)
        told = tell_member(
            session, "server", at, "brigitte", ALL, about="t", subject="Ce soir", body="À 18 h", until=until
        )
        assert told


def outbox(database: Database, channel: Channel, double: Double | str, at: datetime = NOON) -> Outbox:
    url = double if isinstance(double, str) else double.url
    known = HttpConfig(url, SECRET)
    return Outbox(database, {channel: lambda message: SENDS[channel](known, message)}, lambda: at)


def kept(database: Database) -> Message:
    with database.reading() as session:
        found = session.exec(select(Message)).one()
        session.expunge(found)
    return found


@pytest.fixture
def place(database: Database) -> Place:
    return rota_place(database, channels=ALL)


@pytest.mark.parametrize("channel", SENDS)
def test_a_message_arrives_once(place: Place, channel: Channel) -> None:
    tell(place.database, channel)
    with http_double((200, JSON, GOOD[channel])) as double:
        box = outbox(place.database, channel, double)
        assert (box.tick(), box.tick()) == (1, 0)
    [(method, path, headers, said)] = double.taken
    assert headers["Authorization"] == f"Bearer {SECRET}"
    message = kept(place.database)
    assert (message.state, message.body) == (State.SENT, "")
    match channel:
        case Channel.NTFY:
            assert (method, path) == ("POST", "/")
            assert said == {"topic": TOPIC, "title": "Ce soir", "message": "À 18 h"}
        case Channel.MATRIX:
            assert (method, path) == (
                "PUT",
                f"/_matrix/client/v3/rooms/%21abc%3Acasaco.example/send/m.room.message/{message.name}",
            )
            assert said == {"msgtype": "m.text", "body": "Ce soir\n\nÀ 18 h"}
        case _:
            assert said == {"id": message.name, "to": "@brigitte", "subject": "Ce soir", "text": "À 18 h"}


@pytest.mark.parametrize("channel", SENDS)
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((500, HTML, "<h1>Oops</h1>"), State.WAITING),
        ((429, JSON, "{}"), State.WAITING),
        ((403, JSON, "{}"), State.REFUSED),
        ((302, HTML, ""), State.REFUSED),
        ((0, "", ""), State.UNSURE),
        ((504, HTML, ""), State.UNSURE),
    ],
)
def test_what_a_server_answers_says_what_becomes_of_it(
    place: Place, channel: Channel, answer: tuple[int, str, str], state: State, caplog: pytest.LogCaptureFixture
) -> None:
    """Matrix alone knows a repetition by its name, so there what nobody is sure of is tried again."""
    caplog.set_level(logging.INFO, "loquet.server")
    tell(place.database, channel)
    with http_double(answer) as double:
        outbox(place.database, channel, double).tick()
    wanted = State.WAITING if (channel, state) == (Channel.MATRIX, State.UNSURE) else state
    message = kept(place.database)
    assert message.state == wanted
    noted = message.why + caplog.text
    assert noted
    assert not [word for word in (SECRET, ADDRESS[channel], double.url) if word in noted]


@pytest.mark.parametrize("channel", [Channel.NTFY, Channel.MATRIX])
def test_a_page_that_says_200_is_no_such_server(place: Place, channel: Channel) -> None:
    tell(place.database, channel)
    with http_double((200, HTML, "<title>Portail</title>")) as double:
        outbox(place.database, channel, double).tick()
    assert kept(place.database).state == State.REFUSED


def test_while_nobody_listens_it_waits_and_goes_later(place: Place) -> None:
    tell(place.database, Channel.NTFY)
    assert outbox(place.database, Channel.NTFY, "http://127.0.0.1:1").tick() == 1
    assert (kept(place.database).state, kept(place.database).why) == (State.WAITING, "ConnectionRefusedError")
    with http_double((200, JSON, GOOD[Channel.NTFY])) as double:
        outbox(place.database, Channel.NTFY, double, NOON + timedelta(minutes=1)).tick()
    assert (kept(place.database).state, len(double.taken)) == (State.SENT, 1)


@pytest.mark.parametrize(
    ("url", "ca", "why"),
    [
        ("https://127.0.0.1:1", "/nowhere/ca.pem", "FileNotFoundError"),
        ("http://127.0.0.1:99999", None, "ValueError"),
        (f"https://{'a' * 64}.example", None, "Unicode(Encode)?Error"),  # the latter from Python 3.13 on
    ],
)
def test_what_never_left_waits_whatever_kept_it(place: Place, url: str, ca: str | None, why: str) -> None:
    """It is not taken for one that may have arrived."""
    tell(place.database, Channel.NTFY)
    known = HttpConfig(url, SECRET, ca)
    assert Outbox(place.database, {Channel.NTFY: lambda message: ntfy(known, message)}, lambda: NOON).tick() == 1
    assert kept(place.database).state == State.WAITING
    assert re.fullmatch(why, kept(place.database).why)


def test_a_room_to_which_loquet_was_invited_is_joined(place: Place) -> None:
    tell(place.database, Channel.MATRIX)
    with http_double((403, JSON, "{}"), (200, JSON, "{}"), (200, JSON, GOOD[Channel.MATRIX])) as double:
        outbox(place.database, Channel.MATRIX, double).tick()
    assert kept(place.database).state == State.SENT
    assert [method for method, *_ in double.taken] == ["PUT", "POST", "PUT"]


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (datetime(2026, 11, 24, 20, 59, tzinfo=UTC), datetime(2026, 11, 24, 20, 59, tzinfo=UTC)),
        (datetime(2026, 11, 24, 21, 0, tzinfo=UTC), datetime(2026, 11, 25, 7, 0, tzinfo=UTC)),
        (datetime(2026, 11, 25, 6, 59, tzinfo=UTC), datetime(2026, 11, 25, 7, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 21, 30, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_quiet_night_is_that_of_the_site(place: Place, at: datetime, due: datetime) -> None:
    """22 h to 8 h in Paris, in the night in which the clock goes back, too."""
    tell(place.database, Channel.NTFY, at, quiet=True)
    assert kept(place.database).due == due


def test_it_is_chosen_on_moi_and_tried(place: Place) -> None:
    with_mail(place, "brigitte")
    client = place.member_at("brigitte@exemple.org")
    assert "On vous prévient par courriel." in plain(place.page("/me", client))
    form = {"csrf_token": place.form_token(client, "/me"), "channel": "ntfy", "address": TOPIC, "quiet": "1"}
    assert client.post("/me/channel", data=form).status_code == 303
    page = plain(place.page("/me", client))
    assert "On vous prévient par ntfy. Rien entre 22 h et 8 h." in page
    message = kept(place.database)
    assert (message.channel, message.to, message.subject) == ("ntfy", TOPIC, "Loquet vous joint ici")
    assert TOPIC not in place.page("/messages", place.staff())
    for wrong in ({"address": "court"}, {"channel": "sms"}, {"channel": "matrix"}):
        assert client.post("/me/channel", data=form | wrong).status_code == 409
    with place.database.reading() as session:
        assert session.exec(select(ChannelChoice.address)).all() == [TOPIC]
        assert not [row for row in session.exec(select(AuditRow)) if TOPIC in str(row.after)]


@pytest.mark.parametrize("channel", SENDS)
def test_whoever_is_told_the_server_is_that_of_server_toml(place: Place, channel: Channel) -> None:
    """No member's choice, and no answer, has Loquet call another address, be it of this machine or of the site's."""
    with http_double((200, JSON, "{}")) as other:
        for host in ("", "127.0.0.1", "[::1]", "169.254.169.254", "192.168.1.1", "localhost"):
            address = f"http://{host}:80/" if host else other.url
            with place.database.transaction() as session, pytest.raises(ChangeRefusedError):
                choose(session, DECIDED, "brigitte", channel, address, ALL, quiet=False)
        tell(place.database, channel)
        for status in (301, 302, 303, 307, 308):
            with http_double((status, HTML, "")) as double:
                double.location = other.url
                assert SENDS[channel](HttpConfig(double.url, SECRET), kept(place.database))[0] is State.REFUSED
                assert len(double.taken) == 1
        assert other.taken == []


def test_three_first_messages_go_in_an_hour(place: Place) -> None:
    with_mail(place, "brigitte")
    client = place.member_at("brigitte@exemple.org")
    form = {"csrf_token": place.form_token(client, "/me"), "channel": "ntfy"}
    for number in range(5):
        topic = f"{TOPIC}{number}"
        said = client.post("/me/channel", data=form | {"address": topic}, follow_redirects=True).text
        assert ("il n’en part que trois par heure" in plain(said)) is (number >= 3)
    with place.database.transaction() as session:
        rows = session.exec(select(Message).where(Message.about == "channel")).all()
        assert sorted(row.to for row in rows) == [f"{TOPIC}{number}" for number in range(3)]
        assert session.exec(select(ChannelChoice.address)).all() == [f"{TOPIC}4"], "what was chosen holds"
        for row in rows:
            row.made -= timedelta(hours=1)
            session.add(row)
    said = client.post("/me/channel", data=form | {"address": TOPIC}, follow_redirects=True).text
    assert "Un premier message part par là" in plain(said)


def test_a_channel_that_is_named_no_more_gives_way_to_mail(place: Place) -> None:
    with_mail(place, "brigitte")
    tell(place.database, Channel.NTFY)
    assert Outbox(place.database, {}, lambda: NOON).tick() == 1
    assert (kept(place.database).state, "server.toml" in kept(place.database).why) == (State.REFUSED, True)
    with place.database.transaction() as session:
        late = NOON + timedelta(hours=1)
        tell_member(session, "server", NOON, "brigitte", {"mail"}, about="t", subject="s", body="b", until=late)
        assert session.exec(select(Message.to).where(Message.channel == "mail")).all() == ["brigitte@exemple.org"]
    with place.database.transaction() as session, pytest.raises(ChangeRefusedError):
        choose(session, Decided("x", 0), "nobody", "ntfy", TOPIC, ALL, quiet=False)
