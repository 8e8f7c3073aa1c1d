"""Messages by mail: queued on the disk, tried again, never sent twice; over SMTP to a real server."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from server.changes.messages import FIRST_AGAIN, LAST_AGAIN, State, decided_at, queue, take
from server.database.engine import Database
from server.errors import ChangeRefusedError
from server.models import Account, AuditRow, Message
from server.outbox import Outbox, by_mail
from server.queries.messages import messages
from tests.support_mail import OK, PASSWORD, USER, MailServer, certified, mail_server
from tests.support_pages import CHEAP_HASH, Place

NOW = datetime(2026, 11, 24, 19, 12, tzinfo=UTC)
LINK = "https://loquet.example/invitation/abc"
TEXT = f"Bonjour,\n\nVoilà : {LINK}\n.\n..une ligne à points\n"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def post(
    database: Database, to: str = "lea@example.org", until: timedelta = timedelta(days=7), by: str = "solene"
) -> None:
    with database.transaction() as session:
        queue(
            session,
            decided_at(by, NOW),
            NOW,
            about="link",
            to=to,
            subject="Votre compte à Casaco, Malakoff",
            body=TEXT,
            until=NOW + until,
        )


def all_(database: Database) -> list[Message]:
    with database.reading() as session:
        found = list(messages(session, 100))
        session.expunge_all()
    return found


def test_a_message_is_sent_once_and_its_text_forgotten(database: Database, mail: MailServer) -> None:
    post(database)
    outbox = Outbox(database, by_mail(mail.config), Clock())
    assert (outbox.tick(), outbox.tick()) == (1, 0)
    [letter] = mail.taken
    assert (letter["To"], letter["From"]) == ("lea@example.org", "loquet@casaco.example")
    assert letter["Subject"] == "Votre compte à Casaco, Malakoff"
    assert letter["Message-ID"].endswith("@casaco.example>")
    assert letter.get_content().replace("\r\n", "\n") == TEXT
    [kept] = all_(database)
    assert (kept.state, kept.body, kept.tries, kept.ended) == (State.SENT, "", 1, NOW)


def test_while_nobody_answers_it_waits_and_is_tried_again_ever_later(database: Database, mail: MailServer) -> None:
    post(database, until=timedelta(days=2))
    clock, pauses = Clock(), []
    silent = Outbox(database, by_mail(replace(mail.config, port=1)), clock)
    for _ in range(10):
        assert (silent.tick(), silent.tick()) == (1, 0)
        [kept] = all_(database)
        assert (kept.state, kept.body) == (State.WAITING, TEXT)
        pauses.append(kept.due - clock.now)
        clock.now = kept.due
    assert pauses[:3] == [FIRST_AGAIN, 2 * FIRST_AGAIN, 4 * FIRST_AGAIN]
    assert pauses[-1] == LAST_AGAIN
    assert Outbox(database, by_mail(mail.config), clock).tick() == 1
    assert len(mail.taken) == 1


def test_what_nobody_wants_any_more_is_not_sent(database: Database, mail: MailServer) -> None:
    post(database, until=timedelta(hours=1))
    clock = Clock()
    clock.now += timedelta(hours=1)
    assert Outbox(database, by_mail(mail.config), clock).tick() == 0
    assert [(one.state, one.body) for one in all_(database)] == [(State.LATE, "")]
    assert mail.taken == []


@pytest.mark.parametrize(
    ("rcpt", "data", "state", "said"),
    [
        ("550 nobody is called so", OK, State.REFUSED, "address: 550 nobody is called so"),
        ("550 5.7.1 relaying denied", OK, State.REFUSED, "550 5.7.1 relaying denied"),
        ("550 relay not permitted", OK, State.REFUSED, "550 relay not permitted"),
        ("530 Authentication required", OK, State.REFUSED, "530 Authentication required"),
        ("450 come back later", OK, State.WAITING, "450 come back later"),
        (OK, "554 not this", State.REFUSED, "554 not this"),
        (OK, "451 busy", State.WAITING, "451 busy"),
    ],
)
def test_what_the_mail_server_says_counts(
    database: Database, mail: MailServer, rcpt: str, data: str, state: State, said: str
) -> None:
    mail.rcpt, mail.data = rcpt, data
    post(database)
    assert Outbox(database, by_mail(mail.config), Clock()).tick() == 1
    [kept] = all_(database)
    assert (kept.state, kept.why) == (state, said)
    assert mail.taken == []


def test_whose_address_takes_no_mail_is_said_to_the_team_and_to_them_until_one_arrives(
    database: Database, mail: MailServer
) -> None:
    place = Place(database, sends_mail=True, channels=frozenset({"mail"}))
    with database.transaction() as session:
        session.add(Account(login="lea@example.org", member="brigitte", password_hash=CHEAP_HASH, made=NOW))
    lea, clock = place.member_at("lea@example.org"), Clock()
    outbox = Outbox(database, by_mail(mail.config), clock)
    mail.rcpt = "550 5.1.1 no such user"
    post(database, "lea@example.org")
    post(database, "ancienne@example.org")
    assert outbox.tick() == 2
    page = place.page("/messages", admin := place.staff())
    assert "Ces adresses ne prennent pas le courriel ancienne@example.org refusé" in page
    assert "cette adresse ne prend pas le courriel (550 5.1.1 no such user)" in page
    name = (place.publisher.current.called.member("brigitte") or "").replace("\N{NO-BREAK SPACE}", " ")
    assert f"{name} refusé lea@example.org" in page
    told = f"le courriel n’arrive pas à ancienne@example.org, {name}"
    assert told in place.page("/sante", admin)
    assert "Votre adresse lea@example.org n’a pas pris notre message" in place.page("/me", lea)
    assert "n’a pas pris" not in place.page("/me", place.member("remy"))
    mail.rcpt = OK
    post(database, "lea@example.org")
    assert outbox.tick() == 1
    assert "n’a pas pris" not in place.page("/me", lea)
    assert "le courriel n’arrive pas à ancienne@example.org" in place.page("/sante", admin)


def test_where_the_answer_is_lost_it_is_not_sent_a_second_time(database: Database, mail: MailServer) -> None:
    mail.breaks = True
    post(database)
    clock = Clock()
    outbox = Outbox(database, by_mail(mail.config), clock)
    assert outbox.tick() == 1
    clock.now += timedelta(days=1)
    assert outbox.tick() == 0
    assert len(mail.taken) == 1
    assert [one.state for one in all_(database)] == [State.UNSURE]


def test_after_a_power_cut_in_the_middle_neither(database: Database, mail: MailServer) -> None:
    post(database)
    post(database, to="max@example.org")
    with database.transaction() as session:
        taken = take(session, NOW)  # and here the power goes
    assert taken is not None
    outbox = Outbox(database, by_mail(mail.config), Clock())
    outbox.start()
    assert outbox.tick() == 1
    assert [letter["To"] for letter in mail.taken] == ["max@example.org"]
    assert {one.to: one.state for one in all_(database)} == {
        "lea@example.org": State.UNSURE,
        "max@example.org": State.SENT,
    }


@pytest.mark.sqlite
def test_over_starttls_with_a_login_it_is_sent_and_nothing_is_said_in_clear(database: Database, tmp_path: Path) -> None:
    """The mail server takes nothing before both."""
    trust, ca = certified(tmp_path, "127.0.0.1")
    with mail_server(trust) as mail:
        known = replace(mail.config, security="starttls", username=USER, password=PASSWORD, ca=ca)
        post(database)
        assert Outbox(database, by_mail(known), Clock()).tick() == 1
        assert [letter["To"] for letter in mail.taken] == ["lea@example.org"]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("host", "wrong", "said"),
    [
        ("127.0.0.1", {"password": "un autre"}, "refuse l’identifiant ou le mot de passe (535 "),
        ("127.0.0.1", {"password": "été"}, "refuse l’identifiant ou le mot de passe (outside ASCII)"),
        ("autre.example", {}, "certificat du serveur de courrier n’est pas reconnu"),
        ("127.0.0.1", {"ca": None}, "certificat du serveur de courrier n’est pas reconnu"),
    ],
)
def test_a_wrong_password_or_certificate_is_said_on_the_page_and_the_message_waits(
    place: Place, tmp_path: Path, host: str, wrong: dict[str, str | None], said: str
) -> None:
    trust, ca = certified(tmp_path, host)
    with mail_server(trust) as mail:
        right = replace(mail.config, security="starttls", username=USER, password=PASSWORD, ca=ca)
        clock = Clock()
        post(place.database)
        assert Outbox(place.database, by_mail(replace(right, **wrong)), clock).tick() == 1  # type: ignore[arg-type]
        page = place.page("/messages", place.staff())
        assert said in page
        assert "le message attend" in page
        assert (mail.taken, PASSWORD in page) == ([], False)
        if host == "127.0.0.1":
            clock.now += FIRST_AGAIN
            assert Outbox(place.database, by_mail(right), clock).tick() == 1
            assert len(mail.taken) == 1, "once it is put right"


@pytest.mark.sqlite
def test_a_mail_server_without_starttls_is_told_nothing(place: Place, mail: MailServer) -> None:
    post(place.database)
    asked = replace(mail.config, security="starttls")
    assert Outbox(place.database, by_mail(asked), Clock()).tick() == 1
    assert "n’offre pas ce que [smtp] demande" in place.page("/messages", place.staff())
    assert mail.taken == []


@pytest.mark.parametrize(
    "to",
    ["", "lea", "lea@example", "lea@example.org\nBcc: x@example.org", "a@b.org,c@d.org", "é@example.org", "@e.org"],
)
def test_an_address_that_is_none_is_refused(database: Database, to: str) -> None:
    with pytest.raises(ChangeRefusedError):
        post(database, to=to)
    assert all_(database) == []


def test_the_link_is_not_in_the_audit(database: Database) -> None:
    post(database)
    with database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.noun == "message")).all()
        assert [(row.did, row.account, row.after) for row in rows] == [
            ("queue", "solene", {"to": "lea@example.org", "subject": "Votre compte à Casaco, Malakoff"})
        ]


def test_who_asked_for_a_message_is_said_in_french_and_is_the_server_where_nobody_did(place: Place) -> None:
    post(place.database)
    post(place.database, "remy@example.org", by="server")
    page = place.page("/messages", place.staff())
    assert ("demandé par solene le" in page, "demandé par le serveur le" in page) == (True, True)


def test_a_link_is_sent_from_the_page_that_shows_it(database: Database, mail: MailServer) -> None:
    place = Place(database, sends_mail=True)
    client = place.staff()
    form = {"csrf_token": place.form_token(client, "/accounts"), "login": "lea", "member": "remy"}
    shown = client.post("/accounts", data=form).text
    token = re.search(r"/invitation/([^\"<]+)", shown)
    assert token is not None
    wrong = client.post("/messages/link", data=form | {"token": token[1], "to": "lea"})
    assert (wrong.status_code, "Ce n’est pas une adresse de courriel." in wrong.text) == (400, True)
    assert token[1] in wrong.text
    sent = client.post("/messages/link", data=form | {"token": token[1], "to": "lea@example.org"})
    assert "Le message part à lea@example.org." in sent.text
    assert "lea@example.org en attente" in place.page("/messages", client)
    Outbox(database, by_mail(mail.config), lambda: datetime.now(UTC) + timedelta(seconds=1)).tick()
    [letter] = mail.taken
    assert f"http://localhost/invitation/{token[1]}" in letter.get_content()
    assert "lea@example.org envoyé" in place.page("/messages", client)
    assert client.post("/messages/link", data=form | {"token": "made-up", "to": "lea@example.org"}).status_code == 400


def test_without_a_mail_server_no_page_offers_it(place: Place) -> None:
    client = place.staff()
    form = {"csrf_token": place.form_token(client, "/accounts"), "login": "lea", "member": "remy"}
    assert "courriel" not in client.post("/accounts", data=form).text
    assert client.post("/messages/link", data=form | {"to": "lea@example.org"}).status_code == 404
    assert "il manque [smtp]" in place.page("/messages", client)
