"""A machine out of service by page, and back: why, whom it hits, what the edge confirmed, and who was faster."""

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select

from policy.bundle import LockOut
from policy.instants import text
from server.database.engine import Database
from server.models import AuditRow, MachineOut
from tests.support_accounts import account_of
from tests.support_lab import booked, furnish, lab_bundle
from tests.support_pages import Place
from tests.support_site import at
from wire.messages import Status
from wire.row import Order

FABIEN = "Fabien\N{NO-BREAK SPACE}R."
AFTER = {"why": "  buse \n bouchée ", "when": "after", "until": "", "sure": "1"}
NOW = AFTER | {"when": "now"}


@pytest.fixture
def lab(place: Place) -> Place:
    furnish(place, lab_bundle(booked("b", "printer", "remy", "20:30", "21:00")))
    return place


def pressed(place: Place, client: FlaskClient, path: str, form: dict[str, str]) -> str:
    """The page that a press leads to, in words."""
    token = place.form_token(client, "/account")
    return place.words(client.post(path, data=form | {"csrf_token": token}, follow_redirects=True))


def knows(place: Place, version: int | None = None) -> None:
    """The edge says that it holds these rules, or those in force."""
    held = place.publisher.current.version if version is None else version
    place.desk.now = place.now
    place.desk.say(Status(True, at=text(place.now), rules_version=held))


def locked(place: Place, machine: str) -> LockOut | None:
    return next(one for one in place.publisher.current.bundle.machines if one.id == machine).locked_out


@pytest.mark.sqlite
def test_a_fab_manager_takes_a_machine_out_and_is_told_whose_booking_falls(lab: Place) -> None:
    fabien = account_of(lab, "fabien")
    assert "Imprimante 1" in lab.page("/machines/printer/out", fabien)
    asked = pressed(lab, fabien, "/machines/printer/out", {"why": "buse bouchée", "when": "after", "until": ""})
    assert "sa session va à son terme. 1 réservation est touchée : Rémy Q., 20 h 30 – 21 h" in asked
    assert locked(lab, "printer") is None, "to ask changes nothing"
    said = pressed(lab, fabien, "/machines/printer/out", AFTER)
    assert "Imprimante 1 est hors service. Son boîtier ne le sait pas encore." in said
    assert "Imprimante 1 · buse bouchée Remettre en service… Imprimante 1 par Fabien R., 19 h 12" in said
    assert locked(lab, "printer") == LockOut(by=FABIEN, why="buse bouchée")
    assert not lab.commands, "it waits for the session"
    knows(lab)
    done = f"/machines?done=out&machine=printer&rules={lab.publisher.current.version}"
    assert "Son boîtier le sait." in lab.page(done, fabien)


@pytest.mark.sqlite
def test_at_once_is_an_order_and_the_toast_says_what_the_edge_answered(lab: Place) -> None:
    fabien = account_of(lab, "fabien")
    said = pressed(lab, fabien, "/machines/laser/out", NOW)
    assert "Découpe laser : le courant est coupé, son boîtier l’a confirmé." in said
    assert [(one.order, one.place) for one in lab.commands] == [(Order.LOCK_OUT, "laser")]
    assert locked(lab, "laser") == LockOut(by=FABIEN, why="buse bouchée", urgent=True)
    lab.obeys = False
    assert "Imprimante 1 : pas coupée, son boîtier a refusé." in pressed(lab, fabien, "/machines/printer/out", NOW)


@pytest.mark.sqlite
def test_an_order_that_cannot_be_sent_is_said_and_the_rules_have_it_all_the_same(lab: Place) -> None:
    lab.desk.say(Status(False))
    said = pressed(lab, account_of(lab, "fabien"), "/machines/laser/out", NOW)
    assert "L’ordre de couper Découpe laser n’est pas parti : son boîtier ne répond pas." in said
    assert locked(lab, "laser") is not None


@pytest.mark.sqlite
def test_a_machine_that_does_not_answer_in_time_is_said_to(lab: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pages.machine_out.ANSWER_WITHIN", 0)
    lab.obeys = None
    fabien = account_of(lab, "fabien")
    answer = fabien.post("/machines/laser/out", data=NOW | {"csrf_token": lab.form_token(fabien, "/account")})
    assert "son boîtier n’a pas encore répondu." in lab.page(answer.headers["Location"], fabien)
    lab.now += 10_001
    assert "Si elle tourne, allez-y : arrêt d’urgence." in lab.page(answer.headers["Location"], fabien)


@pytest.mark.sqlite
@pytest.mark.parametrize(("field", "typed", "said"), [
    ("why", " ", "Dites en quelques mots"), ("why", "x" * 201, "Dites en quelques mots"),
    ("until", "demain", "Une date à partir d’aujourd’hui"), ("until", "31/12/9999", "Une date à partir d’aujourd’hui"),
    ("until", "23/11/2026", "Une date à partir d’aujourd’hui"),
])  # fmt: skip
@pytest.mark.parametrize("sure", ["", "1"])
def test_a_reason_is_needed_and_a_last_day_is_one(lab: Place, field: str, typed: str, said: str, sure: str) -> None:
    form = {"why": "lame", "until": "24/11/2026", field: typed} | ({"sure": sure} if sure else {})
    assert said in pressed(lab, account_of(lab, "fabien"), "/machines/laser/out", form)
    assert locked(lab, "laser") is None


@pytest.mark.sqlite
def test_whose_booking_others_may_have_already_is_not_touched_by_it(lab: Place) -> None:
    furnish(lab, lab_bundle(booked("b", "printer", "remy", "20:00", "21:00")))
    fabien = account_of(lab, "fabien")
    form = {"why": "buse bouchée", "when": "idle"}
    lab.now = at(20, 14)
    assert "1 réservation est touchée : Rémy Q." in pressed(lab, fabien, "/machines/printer/out", form)
    lab.now = at(20, 16)
    assert "Aucune réservation n’est touchée" in pressed(lab, fabien, "/machines/printer/out", form)


@pytest.mark.sqlite
def test_until_when_limits_what_it_hits_and_is_told(lab: Place) -> None:
    later = booked("c", "printer", "remy", "21:30", "22:00")
    furnish(lab, lab_bundle(booked("b", "printer", "remy", "20:30", "21:00"), later))
    fabien = account_of(lab, "fabien")
    form = {"why": "lame", "when": "after", "until": "24/11/2026"}
    assert "2 réservations sont touchées" in pressed(lab, fabien, "/machines/printer/out", form)
    assert "Aucune réservation n’est touchée" in pressed(lab, fabien, "/machines/laser/out", form)
    said = pressed(lab, fabien, "/machines/laser/out", form | {"sure": "1"})
    assert "prévu jusqu’au mar. 24 nov." in said


@pytest.mark.sqlite
def test_putting_back_names_who_and_why_before_the_press(lab: Place) -> None:
    fabien, staff = account_of(lab, "fabien"), lab.staff()
    pressed(lab, fabien, "/machines/laser/out", NOW)
    asked = lab.page("/machines/laser/back", staff)
    assert "Fabien R. l’a mise hors service : « buse bouchée ». Est-ce réglé ?" in asked
    assert "il faut d’abord badger dessus" in asked, "its power was cut by order"
    assert "Découpe laser est remise en service." in pressed(lab, staff, "/machines/laser/back", was(lab, "laser"))
    assert locked(lab, "laser") is None
    with lab.database.reading() as session:
        (row,) = session.exec(select(MachineOut)).all()
        assert (row.name, row.back_by, row.back is None) == (FABIEN, "equipe", False)
        whys = session.exec(select(AuditRow.why).where(AuditRow.noun == "machine", AuditRow.did == "changed")).all()
        assert sorted(whys) == ["", "buse bouchée"]


def was(place: Place, machine: str) -> dict[str, str]:
    """What the page before the press keeps of the lock-out."""
    known = locked(place, machine)
    assert known is not None
    urgent = ',"urgent":true' if known.urgent else ""
    return {"was": f'{{"by":"{known.by}","why":"{known.why}"{urgent}}}'}


def test_of_two_managers_at_one_instant_the_second_is_told(database: Database) -> None:
    """On both databases: neither undoes what the other has just done."""
    place = Place(database)
    furnish(place, lab_bundle())
    fabien, staff = account_of(place, "fabien"), place.staff()
    pressed(place, fabien, "/machines/laser/out", AFTER)
    said = pressed(place, staff, "/machines/laser/out", AFTER | {"why": "lentille"})
    assert "Rien de changé : Découpe laser est déjà hors service, par Fabien R. : « buse bouchée »." in said
    first = was(place, "laser")
    pressed(place, staff, "/machines/laser/back", first)
    assert "Découpe laser est déjà en service." in pressed(place, fabien, "/machines/laser/back", first)
    pressed(place, staff, "/machines/laser/out", AFTER | {"why": "lentille"})
    said = pressed(place, fabien, "/machines/laser/back", first)
    assert "« lentille »" in said, "the lock-out that fabien read is over; this one stays"
    assert locked(place, "laser") == LockOut(by="equipe", why="lentille")


@pytest.mark.sqlite
def test_what_a_bundle_put_back_is_not_taken_for_what_is_out_since(lab: Place) -> None:
    fabien = account_of(lab, "fabien")
    pressed(lab, fabien, "/machines/laser/out", AFTER)
    furnish(lab, lab_bundle(out={"laser": LockOut(by="l’équipe", why="lentille")}))
    said = lab.page("/machines", fabien)
    assert "par l’équipe" in said
    assert "par l’équipe, " not in said, "nobody noted since when"
    pressed(lab, fabien, "/machines/laser/back", was(lab, "laser"))
    pressed(lab, fabien, "/machines/laser/out", AFTER)
    with lab.database.reading() as session:
        assert [row.back is None for row in session.exec(select(MachineOut).order_by(col(MachineOut.id)))] == [
            False,
            True,
        ]


@pytest.mark.sqlite
def test_a_machine_that_is_none_is_not_found_and_nobody_else_may(lab: Place) -> None:
    fabien, remy, gardien = (account_of(lab, who) for who in ("fabien", "remy", "gregoire"))
    for path in ("out", "back"):
        assert fabien.get(f"/machines/kiln/{path}").status_code == 404
        for other in (remy, gardien):
            assert other.get(f"/machines/laser/{path}").status_code == 403
    assert "Mettre hors service…" not in lab.page("/machines", remy)
    assert "Mettre hors service…" in lab.page("/machines", fabien)


@pytest.mark.sqlite
def test_nothing_on_the_board_starts_a_machine(lab: Place) -> None:
    """The presses of a fab manager, all of them: out, and back."""
    fabien = account_of(lab, "fabien")
    pressed(lab, fabien, "/machines/laser/out", NOW)
    pressed(lab, fabien, "/machines/laser/back", was(lab, "laser"))
    assert {command.order for command in lab.commands} == {Order.LOCK_OUT}
