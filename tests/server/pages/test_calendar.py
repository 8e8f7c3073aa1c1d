"""A day of machines: chosen, looked at before the press, booked, cancelled; others are told no names."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from policy.bundle import Closure, Credential, LockOut, Member, Role
from policy.degrees import By, Degree, Stretch
from server.changes.bundle import put, set_site
from server.database.types import moment
from server.models import MachineSession
from server.publish.bundle import site_said
from server.queries.bookings import slots
from server.text.calendar import opened
from tests.support_bookings import CNC, Desk, furnish, tomorrow
from tests.support_pages import Place, plain
from tests.support_server import DECIDED, statements

pytestmark = pytest.mark.sqlite
DAY = "2026-11-25"
CHOICE = {"day": DAY, "machine": "cnc", "start": f"{DAY}T14:00", "end": f"{DAY}T16:00"}


@pytest.fixture
def fab(place: Place) -> Place:
    furnish(place.database)
    with place.database.transaction() as session:
        put(session, [Credential(uid="04B10000", member="brigitte")], DECIDED)
    place.publish()
    return place


def ran(
    place: Place, member: str, start: int, end: int | None = None, machine: str = "cnc", until: int | None = None
) -> None:
    times = {"started": moment(start), "ended": None if end is None else moment(end), "heard": moment(start)}
    times["until"] = None if until is None else moment(until)
    use = MachineSession(machine=machine, kind="", member=member, cuts=False, edge="front", **times)
    with place.database.transaction() as session:
        session.add(use)


def read(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")


def press(place: Place, client: FlaskClient, path: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/calendar")} | data)
    if answer.status_code == 303:
        return 303, read(client, answer.headers["Location"])
    return answer.status_code, plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")


def test_what_was_looked_at_stands_before_the_press(fab: Place) -> None:
    said = read(fab.member("remy"), f"/calendar?day={DAY}&machine=cnc&start={DAY}T14:00&end={DAY}T16:00")
    assert "Mercredi 25 novembre 2026 : Fraiseuse CNC, libre 9 h – 21 h" in said
    assert "Vous pourrez démarrer ✓ La machine est libre ✓ Le lieu est ouvert" in said
    assert "✓ Votre formation est bonne" in said
    assert "Réserver mer. 25 nov., 14 h – 16 h" in said
    untrained = read(fab.member("gregoire"), f"/calendar?day={DAY}&machine=cnc")
    assert "✗ Il vous faut la formation" in untrained
    assert "Réserver mer. 25 nov., 9 h – 11 h" in untrained, "there is time to be trained"


def test_of_a_machine_out_of_service_nothing_is_called_free(fab: Place) -> None:
    broken = replace(CNC, locked_out=LockOut(by="Fabien", why="fraise"))
    with fab.database.transaction() as session:
        put(session, [broken], DECIDED)
    fab.publish()
    said = read(fab.member("remy"), f"/calendar?day={DAY}&machine=cnc")
    assert "Mercredi 25 novembre 2026 : Fraiseuse CNC, hors service" in said
    assert "Fraiseuse CNC, libre" not in said
    assert "hors service : fraise" in said


def test_a_machine_without_hours_is_offered_from_when_the_place_opens(fab: Place) -> None:
    said = read(fab.member("remy"), f"/calendar?day={DAY}&machine=printer-1")
    assert "Réserver mer. 25 nov., 9 h – 11 h" in said, "not at midnight, when nobody can open"


def test_an_evening_without_a_gardien_is_said_before_one_books(fab: Place) -> None:
    said = read(fab.member("brigitte"), f"/calendar?day={DAY}&machine=cnc&start={DAY}T18:30&end={DAY}T20:00")
    assert "Vous ne pourrez pas encore démarrer" in said
    assert "✗ Personne pour ouvrir à cette heure-là La porte restera fermée si aucun gardien" in said
    assert "Réserver mer. 25 nov., 18 h 30 – 20 h" in said


def test_booked_seen_on_ones_own_page_and_cancelled(fab: Place) -> None:
    client = fab.member("remy")
    status, text = press(fab, client, "/calendar", **CHOICE)
    assert (status, "Réservée pour vous : Fraiseuse CNC, mer. 25 nov., 14 h – 16 h." in text) == (303, True)
    assert [one.member for one in fab.publisher.current.rules.bookings["cnc"]] == ["remy"], "the machine knows"
    assert "Mes réservations Fraiseuse CNC · mer. 25 nov., 14 h – 16 h annuler" in read(client, "/me")
    with fab.database.reading() as session:
        [slot] = slots(session, fab.now)
    status, text = press(fab, fab.member("brigitte"), f"/bookings/{slot.id}/cancel")
    assert "Cette réservation est finie ou annulée." in text
    status, text = press(fab, client, f"/bookings/{slot.id}/cancel", back="me")
    assert (status, "Annulée : le créneau est libre pour les autres." in text) == (303, True)
    assert "cnc" not in fab.publisher.current.rules.bookings


def test_what_was_just_booked_is_in_sight_and_what_else_is_free_comes_below(fab: Place) -> None:
    client = fab.member("remy")
    answer = client.post("/calendar", data={"csrf_token": fab.form_token(client, "/calendar")} | CHOICE)
    text = client.get(answer.headers["Location"]).text
    own, theirs, form = (text.index(f'id="{one}"') for one in ("mine", "list", "book"))
    assert own < theirs < form
    assert ("block mine" in text, "block wish" in text, "first-on-phone" in text) == (True, False, False)
    begins = re.search(r'class="block mine" x="([0-9.]+)%', text)
    assert begins is not None
    assert f'data-from="{begins[1]}"' in text, "on a phone the picture is moved there"
    assert "first-on-phone" in client.get(f"/calendar?day={DAY}").text


def test_no_hour_that_is_past_is_offered(fab: Place) -> None:
    fab.now = tomorrow(14) + 17 * 60_000
    text = fab.member("remy").get(f"/calendar?day={DAY}&machine=cnc").text
    starts = text.partition('id="choose-start"')[2].partition("</select>")[0]
    offered = re.findall(r'<option value="[^"]+T(..:..)"', starts)
    assert offered[:2] == ["14:30", "14:45"]


def test_a_closure_that_came_later_is_said_of_the_booking_with_what_helps(fab: Place) -> None:
    """No gardien is waited for then: whoever has it must choose another day."""
    Desk(fab.database).has(tomorrow(14), who="brigitte")
    Desk(fab.database).has(tomorrow(14), who="remy", what="printer-1")
    with fab.database.transaction() as session:
        site = site_said(session)
        assert site is not None
        day = date.fromisoformat(DAY)
        set_site(session, replace(site, closures=(Closure(day, day), Closure(day, day, "inventaire"))), DECIDED)
    fab.publish()
    brigitte, team = fab.member("brigitte"), fab.staff()
    said = "mer. 25 nov., 14 h – 16 h fermé ce jour-là : inventaire Prenez un autre jour, puis annulez celle-ci."
    assert said in read(brigitte, "/me")
    assert said in read(brigitte, f"/calendar?day={DAY}")
    assert "fermé ce jour-là" not in read(fab.member("remy"), "/me"), "who may come at any hour"
    asked = read(brigitte, f"/calendar?day={DAY}&machine=cnc&start={DAY}T16:00&end={DAY}T18:00")
    assert "✗ Le lieu est fermé ce jour-là. inventaire" in asked
    figures = read(team, "/machines/chiffres")
    assert "Fraiseuse CNC · demain à 14 h fermé ce jour-là : inventaire Brigitte O., 14 h – 16 h" in figures
    assert "attend un gardien" not in read(team, "/gardiens")


def test_the_slot_that_somebody_else_just_took(fab: Place) -> None:
    press(fab, fab.member("brigitte"), "/calendar", **CHOICE)
    status, text = press(fab, fab.member("remy"), "/calendar", **CHOICE)
    assert (status, "Quelqu’un vient de réserver ce créneau. Libre ensuite : Fraiseuse CNC, mer. 25 nov." in text) == (
        409,
        True,
    )
    assert "Réserver mer. 25 nov., 16 h – 18 h" in text, "the nearest free one is chosen"


def test_no_names_but_for_fab_managers(fab: Place) -> None:
    Desk(fab.database).has(tomorrow(14), who="brigitte")
    mine = read(fab.member("brigitte"), f"/calendar?day={DAY}")
    others = read(fab.member("remy"), f"/calendar?day={DAY}")
    assert ("14 h – 16 h vous" in mine, "14 h – 16 h réservée" in others, "Brigitte" in others) == (True, True, False)
    with fab.database.transaction() as session:
        put(session, [Member("remy", "Rémy Quentin", "resident", roles=(Role.FAB_MANAGER,))], DECIDED)
    fab.publish()
    assert "14 h – 16 h Brigitte O." in read(fab.member("remy"), f"/calendar?day={DAY}")


def test_a_fab_manager_cancels_for_others(fab: Place) -> None:
    slot = Desk(fab.database).has(tomorrow(14), who="brigitte")
    assert press(fab, fab.staff(), f"/bookings/{slot.id}/cancel", day=DAY)[0] == 303
    with fab.database.reading() as session:
        assert slots(session, fab.now) == []


def test_nobody_is_offered_to_cancel_a_booking_that_is_over(fab: Place) -> None:
    slot = Desk(fab.database).has(tomorrow(14), who="brigitte")
    assert slot.id in fab.staff().get(f"/calendar?day={DAY}").text
    fab.now = slot.end
    assert "14 h – 16 h" in read(fab.staff(), f"/calendar?day={DAY}")
    assert slot.id not in fab.staff().get(f"/calendar?day={DAY}").text


def test_a_press_in_the_picture_chooses_the_step_before_it(fab: Place) -> None:
    at = tomorrow(14) + 7 * 60_000
    said = read(fab.member("remy"), f"/calendar?day={DAY}&machine=cnc&at={at}&minutes=0")
    assert "Réserver mer. 25 nov., 14 h – 16 h" in said
    drawn = read(fab.member("remy"), f"/calendar?day={DAY}&machine=cnc&at={at}&minutes=60")
    assert "Réserver mer. 25 nov., 14 h – 15 h 15" in drawn


@pytest.mark.parametrize(
    "query",
    [
        "day=x",
        "day=9999-12-31",
        "start=x&end=y",
        "at=99999999999999&minutes=1",
        f"at={tomorrow(20, days=0):020}{'9' * 9}&minutes=1",
        "machine=x",
    ],
)
def test_nonsense_in_the_address_shows_a_day_all_the_same(fab: Place, query: str) -> None:
    assert "Dans la journée" in read(fab.member("remy"), f"/calendar?{query}")


def test_shut_days_and_sites_without_machines(place: Place, fab: Place) -> None:
    closed = read(fab.member("remy"), "/calendar?day=2026-12-25&machine=cnc")
    assert "rien de libre, Fraiseuse CNC" in closed
    assert "Rien de libre ce jour-là : choisissez un autre jour." in closed


def test_the_free_times_are_links_without_a_script(fab: Place) -> None:
    Desk(fab.database).has(tomorrow(12), who="brigitte")
    text = fab.member("remy").get(f"/calendar?day={DAY}&machine=cnc").text
    gaps = re.findall(r'aria-label="Fraiseuse CNC, libre ([^"]+)"', text)
    assert [gap.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "") for gap in gaps] == [
        "9 h – 12 h",
        "14 h – 21 h",
    ]


def test_the_sentence_names_every_free_time_of_the_day(fab: Place) -> None:
    Desk(fab.database).has(tomorrow(12), who="brigitte")
    said = read(fab.member("remy"), f"/calendar?day={DAY}&machine=cnc")
    assert "Mercredi 25 novembre 2026 : Fraiseuse CNC, libre 9 h – 12 h, 14 h – 21 h" in said


def test_the_same_press_twice_is_told_that_it_is_theirs(fab: Place) -> None:
    client = fab.member("remy")
    assert press(fab, client, "/calendar", **CHOICE)[0] == 303
    status, text = press(fab, client, "/calendar", **CHOICE)
    assert (status, "C’est déjà à vous : Fraiseuse CNC, mer. 25 nov., 14 h – 16 h." in text) == (303, True)
    status, text = press(fab, client, "/calendar", **CHOICE | {"end": f"{DAY}T15:00"})
    assert (status, "Vous l’avez déjà réservée à ce moment-là." in text) == (409, True)


def test_a_start_alone_ends_before_the_next_booking_of_somebody_else(fab: Place) -> None:
    press(fab, fab.member("brigitte"), "/calendar", **CHOICE)
    remy = fab.member("remy")
    assert "Réserver mer. 25 nov., 13 h – 14 h" in read(remy, f"/calendar?day={DAY}&machine=cnc&start={DAY}T13:00")
    assert "Réserver mer. 25 nov., 10 h – 12 h" in read(remy, f"/calendar?day={DAY}&machine=cnc&start={DAY}T10:00")


def test_ones_bookings_and_the_machines_are_read_by_a_calendar_program_at_an_address_that_ends(fab: Place) -> None:
    remy = fab.member("remy")
    press(fab, remy, "/calendar", **CHOICE)
    press(fab, fab.member("brigitte"), "/calendar", **CHOICE | {"start": f"{DAY}T11:00", "end": f"{DAY}T12:00"})
    found, token = {}, fab.form_token(remy, "/calendar")
    for what in ("my_bookings", "machines"):
        made = remy.post("/feeds", data={"csrf_token": token, "what": what})
        address = re.search(r'value="http://localhost(/feeds/[^"]+[.]ics)"', made.text)
        assert address is not None
        assert 'href="/calendar"' in made.text, "back to where the press stood"
        found[what] = address[1]
    mine, all_ = (fab.client.get(found[what]).text for what in ("my_bookings", "machines"))
    assert "DTSTART:20261125T130000Z" in mine
    assert "SUMMARY:Fraiseuse CNC · " in mine
    assert (mine.count("BEGIN:VEVENT"), all_.count("BEGIN:VEVENT")) == (1, 2)
    assert "SUMMARY:Fraiseuse CNC\\, réservée" in all_
    assert not any(name in all_ for name in ("Rémy", "Brigitte"))
    assert "Couper « Mes réservations »" in read(remy, "/calendar")
    assert remy.post("/feeds/end", data={"csrf_token": token, "what": "my_bookings"}).headers["Location"] == "/calendar"
    assert fab.client.get(found["my_bookings"]).status_code == 404


def test_what_nobody_came_for_reads_free_and_is_booked(fab: Place) -> None:
    desk = Desk(fab.database)
    desk.has(tomorrow(10), tomorrow(14), who="brigitte")
    fab.publish()
    client, chosen = fab.member("remy"), f"/calendar?day={DAY}&machine=cnc&start={DAY}T10:30&end={DAY}T11:30"
    fab.now = tomorrow(10, 14)
    before = read(client, chosen)
    assert "Fraiseuse CNC, libre 14 h – 21 h" in before
    assert "✗ Elle est réservée" in before
    assert "10 h – 14 h" in read(client, "/machines/cnc")
    fab.now = tomorrow(10, 15)
    after = read(client, chosen)
    assert "Fraiseuse CNC, libre 10 h 15 – 21 h" in after
    assert "✓ La machine est libre" in after
    assert "10 h – 14 h rendue aux autres : personne n’est venu" in after
    assert "Aucune réservation dans les 7 jours." in read(client, "/machines/cnc")
    status, text = press(fab, client, "/calendar", day=DAY, machine="cnc", start=f"{DAY}T10:30", end=f"{DAY}T11:30")
    assert (status, "Réservée pour vous" in text) == (303, True)
    hers = read(fab.member("brigitte"), "/me")
    assert "10 h – 14 h rendue aux autres : personne n’y était" in hers


def test_of_a_booking_that_is_over_it_is_said_that_nobody_came(fab: Place) -> None:
    desk = Desk(fab.database)
    desk.has(tomorrow(9), tomorrow(10), who="brigitte")
    desk.has(tomorrow(11), tomorrow(12), who="brigitte")
    ran(fab, "brigitte", tomorrow(11), tomorrow(12))
    ran(fab, "brigitte", tomorrow(11, 5), tomorrow(11, 20), "printer-1")
    desk.has(tomorrow(11), tomorrow(12), who="brigitte", what="printer-1")
    fab.publish()
    fab.now = tomorrow(13)
    said = read(fab.member("remy"), f"/calendar?day={DAY}")
    assert "Fraiseuse CNC 9 h – 10 h rendue aux autres : personne n’est venu Fraiseuse CNC 11 h – 12 h réservée" in said
    assert "Imprimante 1 11 h – 12 h rendue aux autres : plus personne" in said
    assert "9 h – 10 h vous rendue aux autres : personne n’est venu" in read(fab.member("brigitte"), "/calendar")


def test_a_session_in_ones_own_booking_is_one_line_with_it(fab: Place) -> None:
    desk = Desk(fab.database)
    desk.has(tomorrow(10), tomorrow(12), who="brigitte")
    ran(fab, "brigitte", tomorrow(10, 3))
    ran(fab, "remy", tomorrow(10, 10), None, "printer-1")
    fab.publish()
    fab.now = tomorrow(10, 20)
    hers, others = read(fab.member("brigitte"), "/calendar"), read(fab.member("remy"), "/calendar")
    assert "Machine De – à Prise annuler Fraiseuse CNC 10 h – 12 h vous en marche annuler" in hers
    assert "10 h – 12 h Imprimante 1 depuis 10 h 10 en marche Mes" in hers
    assert "Fraiseuse CNC 10 h – 12 h en marche Imprimante 1 depuis 10 h 10 vous en marche Mes" in others


def test_a_session_that_goes_on_after_its_own_booking_is_not_free_there(fab: Place) -> None:
    desk = Desk(fab.database)
    desk.has(tomorrow(10), tomorrow(12), who="brigitte")
    ran(fab, "brigitte", tomorrow(10, 3), until=tomorrow(21))
    fab.publish()
    for hour in (10, 12):
        fab.now = tomorrow(hour, 20)
        said = read(fab.member("remy"), f"/calendar?machine=cnc&at={tomorrow(14)}&minutes=60")
        assert "Fraiseuse CNC, libre" not in said
        assert "Fraiseuse CNC 10 h – 12 h en marche Fraiseuse CNC 12 h – 21 h en marche Mes" in said
        lanes = [
            fab.member(who).get("/calendar?machine=cnc").text.split('class="lane"')[3] for who in ("remy", "brigitte")
        ]
        assert [lane.count('class="gap"') for lane in lanes] == [0, 1], "who has it may book what follows"


def test_what_has_no_room_in_the_picture_is_left_to_the_list(fab: Place) -> None:
    desk = Desk(fab.database)
    for start, end in ((9, 10), (12, 16)):
        desk.has(tomorrow(start), tomorrow(end), who="brigitte")
    text = plain(
        " ".join(re.findall(r'<svg class="block taken".*?</svg>', fab.member("remy").get(f"/calendar?day={DAY}").text))
    )
    assert text.replace("\N{NO-BREAK SPACE}", " ") == "9 h réservée 12 h – 16 h"


def test_one_gardien_after_another_is_one_time_in_the_picture() -> None:
    held = [
        Stretch(tomorrow(18), tomorrow(20), Degree.PROBABLE, By.GARDIEN),
        Stretch(tomorrow(20), tomorrow(22), Degree.PROBABLE, By.GARDIEN),
    ]
    team = Stretch(tomorrow(9), tomorrow(18), Degree.SURE, By.STAFFED)
    assert opened([team, *held]) == [(team.start, team.end, By.STAFFED), (tomorrow(18), tomorrow(22), By.GARDIEN)]


def test_ones_own_page_says_who_cancelled_a_booking(fab: Place) -> None:
    desk = Desk(fab.database)
    first, second = desk.has(tomorrow(9), who="brigitte"), desk.has(tomorrow(14), who="brigitte")
    with fab.database.transaction() as session:
        put(session, [Member("remy", "Rémy Quentin", "resident", roles=(Role.FAB_MANAGER,))], DECIDED)
    fab.publish()
    press(fab, fab.member("remy"), f"/bookings/{first.id}/cancel")
    brigitte = fab.member("brigitte")
    press(fab, brigitte, f"/bookings/{second.id}/cancel", back="me")
    said = read(brigitte, "/me")
    assert "mer. 25 nov., 9 h – 11 h annulée par Rémy Q." in said
    assert "mer. 25 nov., 14 h – 16 h annulée par vous" in said


def test_what_is_over_is_not_read_again_for_a_day(fab: Place) -> None:
    """Of twenty machines that are booked three times a day there are twenty thousand bookings in a year."""
    remy = fab.member("remy")
    with statements(fab.database) as asked:
        read(remy, f"/calendar?day={DAY}&machine=cnc")
    about = [one for one in asked if "FROM booking " in one[0] or "FROM machine_session" in one[0]]
    with fab.database.reading() as session:
        plans = [
            str(session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", told).all()) for sql, told in about
        ]
    assert len(plans) > 5
    assert not [one for one in plans if "(machine=?)" in one or "SCAN" in one]
