"""Calendars out: a secret address for each, that ends; what programs read keeps to RFC 5545."""

import re

import pytest

from policy.instants import instant
from policy.terms import DAY
from server.database.engine import Database
from server.text.icalendar import Entry, calendar
from tests.support_lab import booked, furnish, lab_bundle
from tests.support_pages import Place
from tests.support_rota import rota_place

pytestmark = pytest.mark.sqlite
NOW = instant("2026-11-24T19:12:00+01:00")


@pytest.fixture
def place(database: Database) -> Place:
    return rota_place(database)


def address(place: Place, who: str, what: str) -> str:
    client = place.member(who)
    made = client.post("/feeds", data={"csrf_token": place.form_token(client, "/gardiens"), "what": what})
    found = re.search(r'value="http://localhost(/feeds/[^"]+\.ics)"', made.text)
    assert found is not None
    return found[1]


def unfolded(text: str) -> list[str]:
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    return text.replace("\r\n ", "").split("\r\n")


def test_ones_own_shifts_with_their_times_and_as_of_when(place: Place) -> None:
    answer = place.client.get(address(place, "odile", "my_shifts"))
    assert answer.content_type == "text/calendar; charset=utf-8"
    lines = unfolded(answer.text)
    assert "UID:shift:samedi@casaco.loquet" in lines
    assert "DTSTART:20261128T090000Z" in lines
    assert "UID:slot:vendredi/2026-11-27@casaco.loquet" not in lines
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "X-WR-CALDESC:À jour mar. 24 nov. à 19 h 12." in [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def test_all_shifts_are_told_without_a_name(place: Place) -> None:
    text = place.client.get(address(place, "odile", "all_shifts")).text
    lines = unfolded(text)
    start = lines.index("UID:slot:jeudi/2026-12-03@casaco.loquet")
    assert lines[start + 4] == "SUMMARY:Sans gardien · Casaco\\, Malakoff"
    assert lines[start + 7] == "STATUS:TENTATIVE"
    assert not any(name in text for name in ("Odile", "Tarek", "Grégoire"))


def test_a_new_address_ends_the_old_one_and_it_can_be_cut(place: Place) -> None:
    first = address(place, "odile", "my_shifts")
    second = address(place, "odile", "my_shifts")
    assert [place.client.get(path).status_code for path in (first, second, "/feeds/nothing.ics")] == [404, 200, 404]
    client = place.member("odile")
    assert "Couper « Mes gardes »" in place.page("/gardiens", client).replace("\N{NO-BREAK SPACE}", " ")
    form = {"csrf_token": place.form_token(client, "/gardiens"), "what": "my_shifts"}
    assert client.post("/feeds/end", data=form).status_code == 303
    assert place.client.get(second).status_code == 404
    assert client.post("/feeds", data=form | {"what": "everything"}).status_code == 400


def test_what_would_break_a_file_is_escaped_and_long_lines_are_folded() -> None:
    entry = Entry("1", NOW, NOW + 1, "a; b, c\\d\nATTENDEE:x", "é" * 100)
    lines = unfolded(calendar("n", [entry], NOW, "s"))
    assert "SUMMARY:a\\; b\\, c\\\\d\\nATTENDEE:x" in lines
    assert f"DESCRIPTION:{'é' * 100}\\ns" in lines


def machine_feed(lab: Place, who: str, machine: str) -> str:
    client = lab.member(who)
    form = {"csrf_token": lab.form_token(client, "/account"), "what": "machine", "machine": machine}
    found = re.search(r'value="http://localhost(/feeds/[^"]+)"', client.post("/feeds", data=form).text)
    assert found is not None
    return found[1]


@pytest.fixture
def lab(database: Database) -> Place:
    place = Place(database)
    furnish(
        place,
        lab_bundle(booked("b", "printer", "remy", "20:30", "21:00"), booked("c", "laser", "remy", "20:00", "21:00")),
    )
    return place


def test_one_machine_s_calendar_has_its_bookings_without_names(lab: Place) -> None:
    path = machine_feed(lab, "brigitte", "printer")
    text = lab.client.get(path).text
    lines = unfolded(text)
    assert [line for line in lines if line.startswith("UID")] == ["UID:booking:b@casaco.loquet"]
    assert "X-WR-CALNAME:Imprimante 1\\, Casaco\\, Malakoff" in lines
    assert {"REFRESH-INTERVAL;VALUE=DURATION:PT15M", "X-PUBLISHED-TTL:PT15M", "STATUS:CONFIRMED"} <= set(lines)
    assert "Rémy" not in text
    assert "Couper « Imprimante 1 »" in lab.page("/machines/printer", lab.member("brigitte"))
    assert "Couper" not in lab.page("/machines/laser", lab.member("brigitte"))
    client = lab.member("brigitte")
    form = {"csrf_token": lab.form_token(client, "/account"), "what": "machine"}
    assert client.post("/feeds", data=form | {"machine": "kiln"}).status_code == 400
    client.post("/feeds/end", data=form | {"machine": "printer"})
    assert lab.client.get(path).status_code == 404


def test_a_booking_that_was_cancelled_is_told_as_such_for_a_week(lab: Place) -> None:
    path = machine_feed(lab, "brigitte", "printer")
    remy = lab.member("remy")
    remy.post("/bookings/b/cancel", data={"csrf_token": lab.form_token(remy, "/account"), "sure": "1"})
    lines = unfolded(lab.client.get(path).text)
    start = lines.index("UID:booking:b@casaco.loquet")
    assert lines[start + 6 : start + 8] == ["SEQUENCE:1", "STATUS:CANCELLED"]
    lab.now += 7 * DAY + 1
    assert "STATUS:CANCELLED" not in lab.client.get(path).text
