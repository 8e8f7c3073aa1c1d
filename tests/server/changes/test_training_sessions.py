"""When is somebody trained: places in the order of coming, who waits moves up and is told, all present certified."""

import re
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import col, select

from policy.bundle import Certification, Role
from policy.instants import instant
from policy.reasons import Reason
from policy.terms import DAY, HOUR
from server.changes.bundle import import_bundle, put
from server.changes.purge import purge
from server.database.engine import Database
from server.models import Account, AuditRow, Edge, JournalRow, Message, TrainingSeat
from server.queries.training_sessions import Planned, planned
from tests.support_pages import CHEAP_HASH, Place
from tests.support_server import DECIDED, small_bundle, whole_bundle
from wire.row import Kind

START = instant("2026-12-10T18:00:00+01:00")
FORM = {"kind": "printer", "date": "10/12/2026", "hours": "18 h – 20 h", "places": "1", "trainer": "gregoire"}
MAIL = "remy@exemple.org"


@pytest.fixture
def lab(database: Database) -> Place:
    """Grégoire keeps the fablab; of the members only Rémy has an account that is an address."""
    gregoire = replace(next(m for m in small_bundle().members if m.id == "gregoire"), roles=(Role.FAB_MANAGER,))
    with database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
        put(session, [gregoire], DECIDED)
        session.add(Account(login=MAIL, member="remy", password_hash=CHEAP_HASH, made=datetime.now(UTC)))
    return Place(database, sends_mail=True)


def press(place: Place, client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/trainings")} | data)
    if answer.status_code == 303:
        return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")
    return answer.status_code, place.words(answer).replace("\N{NO-BREAK SPACE}", " ")


def plan(place: Place, **form: str) -> str:
    """The address of a session that the fab manager planned."""
    client = place.member("gregoire")
    token = re.search(r'name="token" value="([^"]+)"', client.get("/trainings").text)
    assert token is not None
    sent = {"csrf_token": place.form_token(client, "/trainings"), "token": token[1]} | FORM | form
    answer = client.post("/trainings/sessions", data=sent)
    assert answer.status_code == 303
    assert client.post("/trainings/sessions", data=sent).headers["Location"] == answer.headers["Location"]
    return answer.headers["Location"]


def stored(place: Place, path: str) -> Planned:
    with place.database.reading() as session:
        found = planned(session, path.rpartition("/")[2])
    assert found is not None
    return found


def mails(place: Place) -> list[tuple[str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(Message).order_by(col(Message.id))).all()
        return [(row.to, row.subject.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")) for row in rows]


def join(place: Place, path: str, *members: str) -> None:
    """By the desk, who were asked to."""
    desk = place.staff()
    for member in members:
        name = place.publisher.current.called.members[member]
        assert press(place, desk, f"{path}/people", who=name.split()[0].lower(), member=member)[0] == 303


def test_planned_once_and_a_member_puts_themselves_down_and_off_in_one_press(lab: Place) -> None:
    path, brigitte = plan(lab), lab.member("brigitte")
    page = lab.page("/trainings", brigitte).replace("\N{NO-BREAK SPACE}", " ")
    assert "Imprimante 3D 1 place jeu. 10 déc., 18 h – 20 h, avec Grégoire V. Je m’inscris" in page
    assert "Prévoir" not in page
    status, page = press(lab, brigitte, f"{path}/join", back="trainings")
    assert (status, "Vous êtes inscrit·e : jeu. 10 déc., 18 h – 20 h." in page) == (303, True)
    assert "Imprimante 3D inscrit·e" in page
    press(lab, brigitte, f"{path}/join")
    assert [seat.member for seat in stored(lab, path).seats] == ["brigitte"]
    status, page = press(lab, brigitte, f"{path}/leave")
    assert (status, stored(lab, path).seats) == (303, ())
    with lab.database.reading() as session:
        rows = session.exec(select(AuditRow).where(col(AuditRow.noun).like("training_%")).order_by(col(AuditRow.id)))
        assert [(row.did, row.noun, row.account) for row in rows] == [
            ("added", "training_session", "gregoire.compte"),
            ("added", "training_seat", "brigitte.compte"),
            ("ended", "training_seat", "brigitte.compte"),
        ]


def test_who_waits_moves_up_and_is_told_once(lab: Place) -> None:
    path, brigitte = plan(lab), lab.member("brigitte")
    press(lab, brigitte, f"{path}/join")
    join(lab, path, "remy", "zoe")
    page = lab.page("/trainings", lab.member("alice")).replace("\N{NO-BREAK SPACE}", " ")
    assert "complet, 2 en attente" in page
    assert "Je m’inscris en attente" in page
    assert [stored(lab, path).rank(who) for who in ("brigitte", "remy", "zoe", "alice")] == [0, 1, 2, None]
    press(lab, brigitte, f"{path}/leave")
    assert [stored(lab, path).rank(who) for who in ("remy", "zoe", "brigitte")] == [0, 1, None]
    assert mails(lab) == [(MAIL, "Une place pour vous : Imprimante 3D, jeu. 10 déc., 18 h – 20 h")]
    press(lab, brigitte, f"{path}/leave")
    press(lab, brigitte, f"{path}/join")
    assert (stored(lab, path).rank("brigitte"), len(mails(lab))) == (2, 1)


def test_moved_and_cancelled_those_on_the_list_hear_why(lab: Place) -> None:
    path, keeper = plan(lab), lab.member("gregoire")
    join(lab, path, "remy", "zoe")
    was = re.search(r'name="was" value="([^"]+)"', keeper.get(path).text)
    assert was is not None
    form = {"was": was[1].replace("&#34;", '"')} | FORM | {"hours": "17h-19h", "places": "2"}
    status, page = press(lab, keeper, path, **form)
    assert (status, "À prévenir vous-même, faute de courriel : Zoé Wibaux." in page) == (303, True)
    assert (stored(lab, path).start, stored(lab, path).rank("zoe")) == (START - HOUR, 0)
    status, page = press(lab, keeper, path, **form | {"places": "3"})
    assert (status, "quelqu’un a changé cela entre-temps" in page, stored(lab, path).places) == (409, True, 2)
    assert press(lab, keeper, f"{path}/cancel")[0] == 400
    status, page = press(lab, keeper, f"{path}/cancel", why="la machine est en panne")
    assert (status, "Session annulée" in page, "Aucune session n’est prévue." in page) == (303, True, True)
    assert "Aucune session n’est prévue : demandez-en une à l’équipe." in lab.page("/trainings", lab.member("zoe"))
    assert [subject for _, subject in mails(lab)] == [
        "Changé : Imprimante 3D, jeu. 10 déc., 17 h – 19 h",
        "Annulé : Imprimante 3D, jeu. 10 déc., 17 h – 19 h",
    ]
    status, page = press(lab, keeper, f"{path}/join")
    assert (status, "Cette session n’a pas lieu, ou plus" in page) == (409, True)


def test_all_who_were_there_are_certified_in_one_press(lab: Place) -> None:
    path, keeper = plan(lab, places="3"), lab.member("gregoire")
    join(lab, path, "remy", "zoe", "alice")
    status, page = press(lab, keeper, f"{path}/presence", present=["remy"], certify="1")
    assert (status, "n’a pas encore commencé" in page) == (409, True)
    lab.now = START + 2 * HOUR
    status, page = press(lab, keeper, f"{path}/presence", certify="1")
    assert (status, "cochez d’abord qui était là" in page) == (409, True), "nobody is ticked: nothing was done"
    status, page = press(lab, keeper, f"{path}/presence", present=["remy", "alice"], certify="1")
    assert (status, "2 personnes certifiées." in page) == (303, True)
    held = [one for one in lab.publisher.current.bundle.certifications if one.kind == "printer"]
    assert {one.member for one in held} == {"brigitte", "remy", "alice"}
    assert "session suivie le jeu. 10 déc." in lab.page("/members/remy", lab.staff()).replace("\N{NO-BREAK SPACE}", " ")
    status, page = press(lab, keeper, f"{path}/join")
    assert (status, "a déjà commencé" in page) == (409, True)


def test_who_came_unannounced_is_added_to_a_session_that_has_begun_and_is_seen_certified(lab: Place) -> None:
    path, keeper = plan(lab, places="3"), lab.member("gregoire")
    assert "Venu·e sans s’être inscrit·e" not in lab.page(path, keeper)
    lab.now = START + HOUR
    assert "Personne ne s’était inscrit. Venu·e sans s’être inscrit·e" in lab.page(path, keeper)
    status, page = press(lab, keeper, f"{path}/people", who="rémy")
    assert (status, "Rémy Quentin est sur la liste." in page) == (303, True)
    (seat,) = stored(lab, path).seats
    assert (seat.member, seat.present) == ("remy", True)
    assert "certifié·e" not in page
    status, page = press(lab, keeper, f"{path}/presence", present=["remy"], certify="1")
    assert (status, "Rémy Quentin certifié·e" in page) == (303, True)


def test_who_lacks_what_comes_before_is_named_and_the_others_are_certified(lab: Place) -> None:
    path, keeper = plan(lab, kind="laser", places="3"), lab.member("gregoire")
    join(lab, path, "brigitte", "zoe")
    lab.now = START + HOUR
    status, page = press(lab, keeper, f"{path}/presence", present=["brigitte", "zoe"], certify="1")
    assert (status, "1 personne certifiée." in page) == (303, True)
    assert "Zoé W. : Pas noté : il faut d’abord Imprimante 3D" in page
    held = {one.member: one.until for one in lab.publisher.current.bundle.certifications if one.kind == "laser"}
    assert held == {"brigitte": date(2027, 12, 10), "alice": None}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"date": "24/11/2026", "hours": "9h-10h"}, "n’a pas encore commencé"),
        ({"date": "31/12/9999"}, "Écrivez le jour ainsi"),
        ({"hours": "jamais"}, "Écrivez une heure de début"),
        ({"places": "0"}, "Écrivez combien de places"),
        ({"places": "²"}, "Écrivez combien de places"),
        ({"trainer": "personne"}, "Choisissez une personne"),
        ({"kind": "canon"}, "Cette formation n’existe pas"),
        ({"note": "x" * 201}, "200 signes"),
    ],
)
def test_what_cannot_be_planned_is_said_beside_its_field(lab: Place, wrong: dict[str, str], said: str) -> None:
    status, page = press(lab, lab.member("gregoire"), "/trainings/sessions", **FORM | wrong)
    assert (status, said in page) == (400, True)


@pytest.mark.sqlite
def test_whoever_is_no_member_takes_no_place(lab: Place) -> None:
    path = plan(lab)
    status, page = press(lab, lab.staff(), f"{path}/join")
    assert (status, "Ce membre n’existe pas" in page, stored(lab, path).seats) == (409, True, ())
    join(lab, path, "zoe", "remy")
    status, _ = press(lab, lab.staff(), "/members/zoe/end")
    assert (status, [seat.member for seat in stored(lab, path).taken]) == (303, ["remy"])
    assert press(lab, lab.staff(), f"{path}/people", who="i")[0] == 400


@pytest.mark.sqlite
def test_who_was_where_is_forgotten_with_the_passages(lab: Place) -> None:
    path = plan(lab)
    join(lab, path, "remy")
    for days, left in ((89, 1), (92, 0)):
        with lab.database.transaction() as session:
            while purge(session, START + days * DAY, 90):
                pass
            assert len(session.exec(select(TrainingSeat)).all()) == left


@pytest.mark.sqlite
def test_my_page_has_the_next_session_of_what_i_lack_or_must_renew(lab: Place) -> None:
    plan(lab)
    second = plan(lab, date="12/12/2026")
    zoe = lab.member("zoe")
    assert "pas encore Prochaine session : jeu. 10 déc., 18 h – 20 h, avec Grégoire V. Je m’inscris" in me(lab, zoe)
    status, page = press(lab, zoe, f"{second}/join", back="me")
    assert (status, "Vous êtes inscrit·e : sam. 12 déc., 18 h – 20 h." in page) == (303, True)
    assert "Session : sam. 12 déc., 18 h – 20 h, avec Grégoire V. inscrit·e Je me retire" in page
    assert "Je m’inscris" not in me(lab, lab.member("brigitte"))
    with lab.database.transaction() as session:
        put(session, [Certification("brigitte", "printer", date(2026, 12, 20))], DECIDED)
    lab.publish()
    assert "finit le dim. 20 déc." in me(lab, lab.member("brigitte"))
    assert "Prochaine session : jeu. 10 déc." in me(lab, lab.member("brigitte"))


def me(lab: Place, client: FlaskClient) -> str:
    return lab.page("/me", client).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.sqlite
@pytest.mark.sqlite
def test_my_page_has_each_session_that_i_wait_for_and_one_press_stops_it(lab: Place) -> None:
    first, second = plan(lab), plan(lab, date="12/12/2026")
    join(lab, first, "remy", "brigitte")
    join(lab, second, "remy", "brigitte")
    brigitte = lab.member("brigitte")
    said = lab.page("/me", brigitte).replace("\N{NO-BREAK SPACE}", " ")
    for when in ("jeu. 10 déc.", "sam. 12 déc."):
        assert f"Session : {when}, 18 h – 20 h, avec Grégoire V. en attente, suivant·e Ne plus attendre" in said
    _, said = press(lab, brigitte, f"{first}/leave", back="me")
    assert "jeu. 10 déc." not in said
    assert "Session : sam. 12 déc., 18 h – 20 h, avec Grégoire V. en attente" in said


@pytest.mark.parametrize("reason", [Reason.NOT_CERTIFIED, Reason.CERTIFICATION_EXPIRED])
def test_a_refusal_for_want_of_training_offers_the_next_session(lab: Place, reason: Reason) -> None:
    with lab.database.transaction() as session:
        edge = session.get_one(Edge, "front")
        edge.readers = {"printer-tap": ""} | edge.readers
        edge.access_points = [*edge.access_points, "printer"]
        session.add(edge)
    lab.desk.ingest.reload()
    lab.journal.add(
        lab.now,
        Kind.TAP,
        access_point="printer",
        reader="printer-tap",
        credential="hash",
        member="zoe",
        granted=False,
        reason=reason,
    )
    lab.tell()
    with lab.database.reading() as session:
        [which] = session.exec(select(JournalRow.id).where(JournalRow.reason == reason)).all()
    zoe = lab.member("zoe")
    page = lab.page(f"/why/{which}", zoe).replace("\N{NO-BREAK SPACE}", " ")
    assert "Aucune session n’est prévue : demandez-en une à l’équipe." in page
    path = plan(lab)
    page = lab.page(f"/why/{which}", zoe).replace("\N{NO-BREAK SPACE}", " ")
    assert "Imprimante 3D : jeu. 10 déc., 18 h – 20 h, avec Grégoire V. 1 place Je m’inscris" in page
    assert press(lab, zoe, f"{path}/join", back="me")[0] == 303
    assert "inscrit·e Je me retire" in lab.page(f"/why/{which}", zoe)
    assert "Je me retire" not in lab.page(f"/why/{which}", lab.staff())


@pytest.mark.sqlite
def test_the_machines_page_offers_the_next_session_to_who_lacks_it(lab: Place) -> None:
    plan(lab)
    page = lab.page("/machines/printer", lab.member("zoe")).replace("\N{NO-BREAK SPACE}", " ")
    assert "Prochaine session : jeu. 10 déc., 18 h – 20 h, avec Grégoire V. Je m’inscris" in page
    assert "Prochaine session" not in lab.page("/machines/printer", lab.member("brigitte"))
    assert "Prochaine session" not in lab.page("/machines/printer", lab.staff())
