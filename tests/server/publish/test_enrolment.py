"""A badge is laid on a reader and becomes a member's: one at a time, confirmed by the desk; any other end in words."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select, update

from policy.bundle import Machine
from policy.terms import SECOND
from server.changes.bundle import put
from server.models import Account, AuditRow, Credential, Edge, GivenOrder
from server.publish.enrolments import ANSWERS_WITHIN, CONFIRMED_WITHIN, ON_ITS_WAY, WAITS, Phase
from server.queries.enrolment import readers
from tests.support_exchange import Office
from tests.support_pages import CREDENTIAL_KEY, STAFF, Place, plain
from tests.support_server import DECIDED, GARAGE_KEY, TOPICS
from tests.support_site import REMY
from wire.credential import pseudonym
from wire.enrolment import seal
from wire.envelope import seal as signed
from wire.messages import Command, Laid, Reply, encode
from wire.row import Order

NEW = bytes.fromhex("04612233445566")
SHORT = bytes.fromhex("DEADBEEF")


@pytest.fixture
def place(place: Place) -> Place:
    place.speak()
    return place


def begin(place: Place, client: FlaskClient, member: str = "zoe", reader: str = "front-in") -> tuple[int, str]:
    token = place.form_token(client, f"/members/{member}/enrolment")
    answer = client.post(f"/members/{member}/enrolment", data={"csrf_token": token, "reader": reader})
    if answer.status_code == 303:
        return 303, shown(place, client, member)
    return answer.status_code, words(answer.text)


def words(html: str) -> str:
    return plain(unescape(html)).replace("\N{NO-BREAK SPACE}", " ")


def shown(place: Place, client: FlaskClient, member: str = "zoe") -> str:
    return words(client.get(f"/members/{member}/enrolment").text)


def order(place: Place) -> Command:
    return place.commands[-1]


def says(place: Place, reply: Reply, edge: str = "front") -> None:
    place.enrolments.answered(edge, reply)


def waits(place: Place) -> None:
    says(place, Reply(order(place).nonce, done=True))


def lays(place: Place, uid: bytes = NEW, edge: str = "front") -> None:
    command = order(place)
    assert command.key is not None
    says(place, Reply(command.nonce, True, laid=Laid.NEW, sealed=seal(command.key, command.nonce, uid)), edge)


def confirm(place: Place, client: FlaskClient, member: str = "zoe") -> tuple[int, str]:
    path = f"/members/{member}/enrolment"
    found = re.search(r'name="nonce" value="([^"]+)"', client.get(path).text)
    data = {"csrf_token": place.form_token(client, path), "nonce": found[1] if found else "none"}
    answer = client.post(f"{path}/confirm", data=data)
    if answer.status_code == 303:
        return 303, words(client.get(answer.headers["Location"]).text)
    return answer.status_code, words(answer.text)


def badges(place: Place, member: str = "zoe") -> list[str]:
    return [badge.uid for badge in place.publisher.current.bundle.credentials if badge.member == member]


def test_the_readers_of_doors_stand_before_those_of_machines(place: Place) -> None:
    with place.database.transaction() as session:
        put(session, [Machine("cnc", "cnc", "a-first-tap")], DECIDED)
        session.exec(update(Edge).where(col(Edge.id) == "front").values(access_points=["cnc", "front"]))
    with place.database.reading() as session:
        assert readers(session) == ["front-in", "front-out", "garage-in", "a-first-tap"]


def test_from_the_press_to_a_badge_that_the_doors_know(place: Place) -> None:
    client = place.staff()
    status, page = begin(place, client)
    assert (status, "On prévient le lecteur…" in page) == (303, True)
    command = order(place)
    assert (command.order, command.place, command.by) == (Order.ENROL, "front-in", STAFF)
    waits(place)
    place.now += 6 * SECOND
    page = shown(place, client)
    assert "24 s Posez le badge sur le lecteur… Le lecteur d’entrée, front : sa lampe passe de l’ambre au vert" in page
    lays(place)
    page = shown(place, client)
    assert "Badge lu : son numéro finit par ···5566" in page
    assert "Zoé Wibaux : c’est bien son badge ?" in page
    assert badges(place) == [], "nothing is stored before the desk has said so"
    status, page = confirm(place, client)
    assert status == 303
    assert "Le badge ···5566 est bon. 0 porte sur" in page, "and the doors that know are counted"
    assert badges(place) == [NEW.hex().upper()]
    assert place.publisher.current.rules.credentials[pseudonym(CREDENTIAL_KEY, NEW)].member == "zoe"
    assert place.enrolments.latest() is None


def test_who_enrolled_whom_where_is_audited_and_nothing_of_the_number_is_kept_before_it_is_theirs(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    lays(place)
    shown(place, client)
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.account == STAFF)).all()
        [given] = session.exec(select(GivenOrder)).all()
        assert (given.order, given.place, given.by) == ("enrol", "front-in", STAFF)
        for secret in (NEW.hex(), NEW.hex().upper(), pseudonym(CREDENTIAL_KEY, NEW)):
            assert secret not in f"{rows} {given}"
    confirm(place, client)
    with place.database.reading() as session:
        [row] = session.exec(select(AuditRow).where(AuditRow.noun == "credential", AuditRow.account == STAFF)).all()
        assert row.did == "added"


def test_only_the_page_that_waits_asks_again_with_a_script_and_without(place: Place) -> None:
    client = place.staff()
    path = "/members/zoe/enrolment"
    again = ('http-equiv="refresh"', 'hx-trigger="every 500ms"')
    assert not any(how in client.get(path).text for how in again)
    begin(place, client)
    assert all(how in client.get(path).text for how in again)
    waits(place)
    assert all(how in client.get(path).text for how in again)
    lays(place)
    assert not any(how in client.get(path).text for how in again)


@pytest.mark.parametrize(
    ("laid", "holder", "said"),
    [
        (
            Laid.RANDOM,
            None,
            "Ce numéro change à chaque fois (téléphone, certaines cartes bancaires).",
        ),
        (Laid.TAKEN, "remy", "Ce badge est à Rémy Q. : posez le nouveau."),
        (Laid.TAKEN, "gone", "Ce badge est à quelqu’un d’autre : posez le nouveau."),
        (Laid.SEVERAL, None, "Plusieurs badges à la fois : posez-en un seul."),
    ],
)
def test_what_it_was_not_is_said_and_it_waits_on(place: Place, laid: Laid, holder: str | None, said: str) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    says(place, Reply(order(place).nonce, done=True, laid=laid, member=holder))
    page = shown(place, client)
    assert said in page
    assert "Posez le badge sur le lecteur…" in page
    lays(place)
    assert confirm(place, client)[0] == 303


def test_a_badge_that_somebody_has_by_now_is_named_and_not_offered(place: Place) -> None:
    """The edge goes by rules that are older than the server's."""
    client = place.staff()
    begin(place, client)
    waits(place)
    lays(place, REMY)
    page = shown(place, client)
    assert "Ce badge est déjà à Rémy Q." in page
    assert "Oui, c’est son badge" not in page


def test_a_short_number_is_noted_as_easy_to_copy(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    lays(place, SHORT)
    assert "Un numéro court, de 4 octets : facile à copier." in shown(place, client)
    assert confirm(place, client)[0] == 303
    assert badges(place) == ["DEADBEEF"]


@pytest.mark.parametrize(
    ("edge_waits", "later", "said"),
    [
        (False, ANSWERS_WITHIN, "Le boîtier ne répond pas"),
        (True, WAITS + ON_ITS_WAY, "Pas de badge vu"),
    ],
)
def test_nobody_answers_or_nobody_comes(place: Place, edge_waits: bool, later: int, said: str) -> None:
    client = place.staff()
    begin(place, client)
    if edge_waits:
        waits(place)
    place.now += later - 1
    assert said not in shown(place, client)
    place.now += 1
    assert f"{said} " in shown(place, client)
    assert begin(place, client)[0] == 303, "one press begins anew"


def test_an_edge_that_refuses_is_quoted(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    says(place, Reply(order(place).nonce, done=False, why="a lockdown holds: lift it first"))
    assert "Le boîtier n’attend pas de badge" in shown(place, client)
    assert "a lockdown holds" in words(client.get("/members/zoe/enrolment?lang=en").text)


def test_an_edge_that_is_offline_is_not_asked(place: Place) -> None:
    client = place.staff()
    status, page = begin(place, client, reader="garage-in")
    assert status == 409
    assert "n’a pas reçu la demande" in page
    assert place.commands == []
    place.link_up = False
    assert begin(place, client)[0] == 409
    assert begin(place, client, reader="none")[0] == 409


def another(place: Place) -> FlaskClient:
    """A second account of the team's, Alice's."""
    with place.database.transaction() as session:
        first = session.exec(select(Account).where(Account.login == STAFF)).one()
        session.add(Account(login="alice", member="alice", made=first.made, password_hash=first.password_hash))
    client = place.app.test_client()
    token = place.form_token(client)
    assert (
        client.post("/login", data={"name": "alice", "password": "correct horse", "csrf_token": token}).status_code
        == 303
    )
    return client


def test_of_two_who_enrol_the_second_is_told_and_may_when_it_is_over(place: Place) -> None:
    one, other = place.staff(), another(place)
    begin(place, one)
    waits(place)
    status, page = begin(place, other, "brigitte", "front-out")
    assert status == 409
    assert f"{STAFF} enrôle déjà un badge pour Zoé W., au lecteur d’entrée, front." in page
    assert len(place.commands) == 1
    lays(place)
    assert begin(place, other, "brigitte")[0] == 409, "it is not confirmed yet"
    assert confirm(place, one)[0] == 303
    assert begin(place, other, "brigitte")[0] == 303


def test_who_begins_anew_ends_their_own_and_its_answer_counts_no_more(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    first = order(place)
    assert first.key is not None
    begin(place, client, reader="front-out")
    waits(place)
    says(place, Reply(first.nonce, True, laid=Laid.NEW, sealed=seal(first.key, first.nonce, NEW)))
    assert "Posez le badge sur le lecteur…" in shown(place, client)


def test_another_edges_answer_counts_nothing(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    lays(place, edge="garage")
    assert "Posez le badge sur le lecteur…" in shown(place, client)


def test_a_number_that_nobody_confirms_is_forgotten(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    lays(place)
    shown(place, client)
    path = "/members/zoe/enrolment"
    nonce = order(place).nonce
    place.now += CONFIRMED_WITHIN
    token = place.form_token(client, path)
    answer = client.post(f"{path}/confirm", data={"csrf_token": token, "nonce": nonce})
    assert (answer.status_code, "Trop tard" in answer.text) == (409, True)
    assert badges(place) == []
    with place.database.reading() as session:
        assert session.exec(select(Credential).where(Credential.uid == NEW.hex().upper())).all() == []


def test_whoever_confirms_twice_hears_the_same(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    lays(place)
    path = "/members/zoe/enrolment"
    data = {"csrf_token": place.form_token(client, path), "nonce": order(place).nonce}
    first, second = (client.post(f"{path}/confirm", data=data) for _ in range(2))
    assert (second.status_code, second.headers["Location"]) == (303, first.headers["Location"])
    assert badges(place) == [NEW.hex().upper()]
    elsewhere = client.post("/members/remy/enrolment/confirm", data=data)
    assert elsewhere.status_code == 409


def test_it_is_confirmed_for_the_member_it_was_begun_for_and_no_other(place: Place) -> None:
    client = place.staff()
    begin(place, client, "zoe")
    waits(place)
    lays(place)
    token = place.form_token(client, "/members/remy/enrolment")
    data = {"csrf_token": token, "nonce": order(place).nonce}
    assert client.post("/members/remy/enrolment/confirm", data=data).status_code == 409
    assert badges(place, "remy") == [REMY.hex().upper()]


def test_whoever_is_no_member_gets_no_badge(place: Place) -> None:
    client = place.staff()
    token = place.form_token(client, "/members/zoe")
    client.post("/members/zoe/end", data={"csrf_token": token})
    status, page = begin(place, client)
    assert (status, "Ce membre n’existe pas, ou plus." in page) == (409, True)
    assert client.get("/members/nobody/enrolment").status_code == 404


def stop(place: Place, client: FlaskClient, nonce: str) -> str:
    path = "/members/zoe/enrolment"
    data = {"csrf_token": place.form_token(client, path), "nonce": nonce}
    answer = client.post(f"{path}/stop", data=data)
    assert answer.status_code == 303
    return words(client.get(answer.headers["Location"]).text)


@pytest.mark.parametrize("read", [False, True])
def test_the_desk_stops_it_and_a_badge_that_comes_later_is_not_taken(place: Place, *, read: bool) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    begun = order(place)
    assert begun.key is not None
    if read:
        lays(place)
    assert "Sur quel lecteur ?" in stop(place, client, begun.nonce)
    orders = [(it.order, it.place, it.key) for it in place.commands[1:]]
    assert orders == ([] if read else [(Order.STOP_ENROL, "front-in", None)]), "one that was read waits no more"
    says(place, Reply(begun.nonce, True, laid=Laid.NEW, sealed=seal(begun.key, begun.nonce, NEW)))
    assert "Sur quel lecteur ?" in shown(place, client)


def test_only_the_enrolment_that_the_page_showed_is_stopped(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    assert "Posez le badge sur le lecteur…" in stop(place, client, "another")
    assert [it.order for it in place.commands] == [Order.ENROL]


def test_the_reader_of_an_edge_that_is_gone_is_stopped_at_the_server_alone(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    place.link_up = False
    assert "Sur quel lecteur ?" in stop(place, client, order(place).nonce)


def test_who_begins_anew_at_another_edge_frees_the_first_reader(place: Place) -> None:
    client = place.staff()
    begin(place, client)
    waits(place)
    with place.database.transaction() as session:
        session.get_one(Edge, "garage").online = True
    begin(place, client, reader="garage-in")
    orders = [(it.order, it.place) for it in place.commands]
    assert orders == [(Order.ENROL, "front-in"), (Order.ENROL, "garage-in"), (Order.STOP_ENROL, "front-in")]
    latest = place.enrolments.latest()
    assert latest is not None
    assert latest.reader == "garage-in"


def test_the_reader_that_was_used_last_is_offered_first(place: Place) -> None:
    client = place.staff()
    begin(place, client, reader="front-out")
    place.now += ANSWERS_WITHIN
    found = re.findall(r'<option value="([^"]+)"', client.get("/members/zoe/enrolment").text)
    assert found[0] == "front-out"
    assert sorted(found) == ["front-in", "front-out", "garage-in"]


# Through the exchange


def test_an_answer_in_another_edges_name_is_not_heard(office: Office) -> None:
    office.front_is_there()
    begun = office.exchange.enrolments.begin("zoe", "front-in", "alice")
    [command] = office.commands
    assert command.key is not None
    reply = Reply(command.nonce, done=True, laid=Laid.NEW, sealed=seal(command.key, command.nonce, NEW))
    for edge, topic in (("garage", TOPICS.reply("front")), ("garage", TOPICS.reply("garage"))):
        office.exchange.take(topic, signed(GARAGE_KEY, edge, topic, encode(reply)))
    latest = office.exchange.enrolments.latest()
    assert latest == begun
    before = office.changes
    office.front_says("reply", reply)
    latest = office.exchange.enrolments.latest()
    assert latest is not None
    assert (latest.phase(office.now), latest.uid) == (Phase.FOUND, NEW.hex().upper())
    assert office.changes > before, "open pages hear of it"


def test_what_is_not_sealed_to_the_order_ends_nothing(office: Office) -> None:
    office.front_is_there()
    office.exchange.enrolments.begin("zoe", "front-in", "alice")
    [command] = office.commands
    office.front_replies(command.nonce)
    office.front_says("reply", Reply(command.nonce, done=True, laid=Laid.NEW, sealed=b"\x00" * 59))
    latest = office.exchange.enrolments.latest()
    assert latest is not None
    assert latest.phase(office.now) is Phase.WAITING
