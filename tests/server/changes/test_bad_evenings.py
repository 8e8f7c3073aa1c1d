"""What a rota and a bank of hours are not made for, and bear: a race, a suspension at nine, a month changed late."""

from threading import Barrier, Thread

import pytest
from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Member, Role, TimeBank
from policy.opening import Degree
from policy.terms import DAY, HOUR
from server.audit import Decided
from server.changes.bank import book
from server.changes.bundle import import_bundle, put
from server.database.engine import Database
from server.models import AuditRow
from tests.support_pages import EVENING, Place
from tests.support_rota import GAP, degree_at, holder_at, plain, press, rota_bundle, rota_place
from tests.support_server import Desk
from tests.support_site import at

pytestmark = pytest.mark.sqlite
CUTOFF = at(4) + DAY


def test_of_two_who_press_at_one_instant_one_has_the_gap(database: Database) -> None:
    place = rota_place(database)
    clients = {who: place.member(who) for who in ("tarek", "odile")}
    tokens = {who: place.form_token(client, "/gardiens") for who, client in clients.items()}
    together, answered = Barrier(2), dict[str, int]()

    def take(who: str) -> None:
        together.wait(10)
        form = {"csrf_token": tokens[who], "turn": GAP}
        answered[who] = clients[who].post("/gardiens/take", data=form).status_code

    threads = [Thread(target=take, args=(who,)) for who in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answered.values()) == [303, 409]
    assert answered[holder_at(place, GAP) or ""] == 303
    with database.reading() as session:
        assert len(session.exec(select(AuditRow).where(AuditRow.noun == "rota_change")).all()) == 1


def test_a_gardien_suspended_in_the_middle_of_the_evening_holds_no_more_and_another_takes_over(
    database: Database,
) -> None:
    bundle = rota_bundle()
    place = rota_place(database, bundle)
    place.journal.enters(at(17, 55), "gregoire")
    place.tell()
    assert degree_at(place, EVENING) is Degree.SURE
    suspended = replace(next(one for one in bundle.members if one.id == "gregoire"), status="suspended")
    with database.transaction() as session:
        put(session, [suspended], Decided("equipe", EVENING))
    place.publish()
    assert degree_at(place, EVENING) is Degree.NOBODY
    odile = place.member("odile")
    assert "Grégoire V. ne peut pas la tenir" in plain(place.page("/gardiens", odile))
    assert press(place, odile, "take", "shift:s1")[0] == 303
    assert degree_at(place, EVENING) is Degree.UNCERTAIN, "she has not come, and it began more than 15 min ago"
    place.journal.enters(EVENING, "odile")
    place.now = EVENING + HOUR // 60
    place.tell()
    assert degree_at(place, place.now) is Degree.SURE


def test_a_row_that_comes_a_week_late_changes_a_settled_month_in_the_next_one(place: Place) -> None:
    """The month that was read stays as it was read: what came late is dated when it came."""
    held = rota_bundle()
    with place.database.transaction() as session:
        told = replace(held, site=replace(held.site, time_bank=TimeBank()))
        import_bundle(session, told, Decided("tests", at(8)))
    place.now = CUTOFF + 7 * DAY
    place.tell()
    booked(place)
    gregoire = place.member("gregoire")
    november = gregoire.get("/banque-csv/gregoire?month=2026-11").text
    sent = len(place.journal.rows)
    place.journal.leaves(at(20, 30), "gregoire")
    late = Desk(place.database, at(9) + 8 * DAY)
    late.take(place.journal.rows[sent:])
    place.now = CUTOFF + 9 * DAY
    booked(place)
    assert gregoire.get("/banque-csv/gregoire?month=2026-11").text == november
    lines = gregoire.get("/banque-csv/gregoire?month=2026-12").text.splitlines()
    minutes = [int(line.split(";")[2]) for line in lines[1:]]
    assert [one for one in minutes if one] == [240, -90, 150]


def booked(place: Place) -> None:
    with place.database.transaction() as session:
        book(session, place.now, 90)
    place.publish()


@pytest.mark.parametrize("many", [8, 20])
def test_a_site_without_a_bank_and_with_so_many_gardiens_shows_every_page(database: Database, many: int) -> None:
    bundle = rota_bundle()
    more = [Member(f"g{number}", f"Gardien {number}", "nomad", roles=(Role.GARDIEN,)) for number in range(many - 3)]
    place = rota_place(database, replace(bundle, members=(*bundle.members, *more)))
    place.now = CUTOFF + HOUR
    booked(place)
    clients = (place.staff(), place.member("gregoire"))
    for path in ("/", "/gardiens", "/gardiens/chiffres", "/banque", "/kiosque"):
        assert [client.get(path).status_code for client in clients] == [200, 200], path
    assert clients[0].get("/gardiens/evenings").status_code == 200
    assert clients[1].get("/me").status_code == 200
    assert "Gardien 4" in plain(clients[0].get("/gardiens").text)
