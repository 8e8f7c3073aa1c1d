"""Does what the demo's server sends arrive in its mailbox, by each channel, and can it be read there?"""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server.changes.messages import Channel, State
from server.channels import ntfy, webhook
from server.models import Message
from server.outbox import by_mail
from simulator.demo.mailbox import KEPT, Letter, Letters, Mailbox

AT = 1_795_490_400_000
SUBJECT, BODY = "Ce soir change", "À 18 h 20, la gardienne est là.\nÀ ce soir"


@pytest.fixture
def letters() -> Letters:
    return Letters(lambda: AT)


@pytest.fixture
def mailbox(letters: Letters) -> Iterator[Mailbox]:
    mailbox = Mailbox(letters)
    mailbox.start()
    yield mailbox
    mailbox.stop()


def message(to: str) -> Message:
    made = datetime(2026, 11, 24, tzinfo=UTC)
    return Message(
        id=1, state="sending", about="rota", by="server", to=to, subject=SUBJECT, body=BODY, name="ab" * 16,
        made=made, due=made, until=made, channel="mail",
    )  # fmt: skip


def test_what_is_sent_by_each_channel_lies_there_latest_first(mailbox: Mailbox, letters: Letters) -> None:
    assert by_mail(mailbox.smtp)["mail"](message("ana@casaco.example"))[0] is State.SENT
    assert ntfy(mailbox.ntfy, message("casaco-gardien"))[0] is State.SENT
    assert webhook(mailbox.webhook, message("accueil"))[0] is State.SENT
    assert [Letter(one.at, one.channel, one.to, one.subject, one.body) for one in letters.latest_first()] == [
        Letter(AT, Channel.WEBHOOK, "accueil", SUBJECT, BODY),
        Letter(AT, Channel.NTFY, "casaco-gardien", SUBJECT, BODY),
        Letter(AT, Channel.MAIL, "ana@casaco.example", SUBJECT, BODY),
    ]


@pytest.mark.parametrize("body", ["", "no JSON", "[1]"])
def test_what_is_no_message_is_refused(mailbox: Mailbox, letters: Letters, body: str) -> None:
    asked = http.client.HTTPConnection(mailbox.ntfy.url.removeprefix("http://"), timeout=5)
    asked.request("POST", "/", body)
    assert asked.getresponse().status == 400
    asked.close()
    assert letters.latest_first() == ()


def test_the_oldest_go_first(letters: Letters) -> None:
    for number in range(KEPT + 1):
        letters.take(Channel.MAIL, "ana@casaco.example", str(number), "")
    assert [letters.latest_first()[0].subject, letters.latest_first()[-1].subject] == [str(KEPT), "1"]
