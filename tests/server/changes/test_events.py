"""Events at the desk: single and recurring, each time moved or cancelled alone, tried before they are saved."""

import json
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from policy.bundle import Event
from policy.calendar import moment
from policy.reasons import Reason
from policy.terms import DAY, HOUR
from server.changes.events import make_more_times, save_series
from server.changes.outcomes import Done
from server.models import AuditRow, EventSeries
from server.publish.bundle import held
from server.queries.recurring import AHEAD, Series, times
from server.queries.rhythm import WEEKS, Repeat, Rhythm, first_from, read_rule, rule_of
from tests.support_exchange import SEVEN, Office
from tests.support_pages import Place, plain
from tests.support_server import DECIDED

FEAST = {"title": "Repas", "date": "3/12/2026", "hours": "19 h – 22 h", "audience": "members"}
TODAY = date(2026, 11, 24)
UNKEPT: list[tuple[dict[str, str], str]] = [
    ({"repeat": "weekly", "interval": "0"}, "un nombre, de 1 à 99"),
    ({"repeat": "weekly", "interval": "²"}, "un nombre, de 1 à 99"),
    ({"repeat": "weekly", "times": "1000"}, "un nombre de fois, de 1 à 999"),
    ({"repeat": "weekly", "times": "3", "until": "31/12/2026"}, "pas les deux"),
    ({"repeat": "weekly", "weekdays": "7"}, "Choisissez dans la liste"),
    ({"repeat": "monthly_weekday", "weeks": "5"}, "Choisissez dans la liste"),
    ({"repeat": "weekly", "weekdays": "1", "until": "7/12/2026"}, "pas avant le premier"),
    ({"rule": "FREQ=HOURLY"}, "FREQ=HOURLY : écrivez FREQ=DAILY"),
    ({"rule": "BYDAY=TU"}, "FREQ= : écrivez FREQ=DAILY"),
    ({"rule": "FREQ=WEEKLY;BYHOUR=9"}, "BYHOUR=9 : Loquet ne sait pas suivre cette partie de la règle. Ôtez-la"),
    ({"rule": "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2"}, "BYSETPOS=2 : écrivez plutôt lequel du mois devant le jour"),
    ({"rule": "FREQ=WEEKLY;FREQ=DAILY"}, "FREQ=DAILY : Loquet ne sait pas suivre"),
    ({"rule": "FREQ=WEEKLY;INTERVAL=-1"}, "INTERVAL=-1 : écrivez un nombre"),
    ({"rule": "FREQ=WEEKLY;COUNT=0"}, "COUNT=0 : écrivez un nombre de fois"),
    ({"rule": "FREQ=WEEKLY;UNTIL=20261201"}, "UNTIL=20261201 : écrivez un dernier jour"),
    ({"rule": "FREQ=WEEKLY;UNTIL=20269901"}, "UNTIL=20269901 : écrivez un dernier jour"),
    ({"rule": "FREQ=WEEKLY;UNTIL=99991231T235959Z"}, "UNTIL=99991231T235959Z : écrivez un dernier jour"),
    ({"rule": "FREQ=WEEKLY;UNTIL=20261231;COUNT=3"}, "UNTIL=20261231;COUNT=3 : gardez"),
    ({"rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU"}, "WKST=SU : les semaines commencent le lundi"),
    ({"rule": "FREQ=MONTHLY;BYMONTHDAY=15"}, "BYMONTHDAY=15 : écrivez ce jour du mois comme premier jour"),
    ({"rule": "FREQ=YEARLY;BYMONTH=6"}, "BYMONTH=6 : écrivez un premier jour de ce mois"),
    ({"rule": "FREQ=YEARLY;BYMONTHDAY=3"}, "BYMONTHDAY=3 : écrivez ce jour du mois comme premier jour"),
    ({"rule": "FREQ=DAILY;BYDAY=MO"}, "BYDAY=MO : écrivez FREQ=WEEKLY"),
    ({"rule": "FREQ=WEEKLY;BYDAY=2TU"}, "BYDAY=2TU : écrivez les jours de la semaine sans nombre"),
    ({"rule": "FREQ=WEEKLY;BYDAY=XX"}, "BYDAY=XX : écrivez les jours"),
    ({"rule": "FREQ=MONTHLY;BYDAY=TU"}, "BYDAY=TU : écrivez lequel du mois"),
    ({"rule": "FREQ=MONTHLY;BYDAY=2TU,3TH"}, "BYDAY=2TU,3TH : écrivez lequel du mois"),
    ({"rule": "FREQ=YEARLY;BYDAY=2TU"}, "BYDAY=2TU : écrivez FREQ=MONTHLY;INTERVAL=12"),
]
"""What somebody writes of how often, and what is said of it."""


def weekly(**changes: object) -> Series:
    values = {"start": "2026-03-24T18:00", "end": "2026-03-24T22:00", "rule": "FREQ=WEEKLY"} | changes
    return Series(id="s", title="Atelier", audience="members", **values)  # type: ignore[arg-type]


def events(place: Place, title: str = "Repas") -> list[Event]:
    """As the doors' rules have them."""
    return [event for event in place.publisher.current.bundle.events if event.title == title]


def press(place: Place, path: str, client: FlaskClient, **data: str) -> tuple[int, str]:
    sent = {"csrf_token": place.form_token(client, "/events"), "was": ""} | data
    answer = client.post(path, data=sent)
    if answer.status_code == 303:
        return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")
    return answer.status_code, plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")


def shown(client: FlaskClient, path: str) -> str:
    """What the page of an event keeps of it."""
    found = re.search(r'name="was" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return unescape(found[1])


def the_series(place: Place) -> EventSeries:
    with place.database.reading() as session:
        return session.exec(select(EventSeries)).one()


def test_an_hour_stays_that_hour_in_summer_and_in_winter() -> None:
    found = list(times(weekly(), date(2026, 3, 24), date(2026, 4, 7)))
    assert [(time.id, time.start, time.end) for time in found] == [
        ("s/2026-03-24", "2026-03-24T18:00", "2026-03-24T22:00"),
        ("s/2026-03-31", "2026-03-31T18:00", "2026-03-31T22:00"),
        ("s/2026-04-07", "2026-04-07T18:00", "2026-04-07T22:00"),
    ]


@pytest.mark.parametrize(
    ("rhythm", "first", "expected"),
    [
        (Rhythm(Repeat.DAILY), "2026-12-30", ["2026-12-30", "2026-12-31", "2027-01-01"]),
        (Rhythm(Repeat.DAILY, 10), "2026-12-30", ["2026-12-30", "2027-01-09", "2027-01-19"]),
        (Rhythm(Repeat.WEEKLY, 2), "2026-12-03", ["2026-12-03", "2026-12-17", "2026-12-31"]),
        (Rhythm(Repeat.WEEKLY, weekdays=(1, 3)), "2026-12-03", ["2026-12-03", "2026-12-08", "2026-12-10"]),
        (Rhythm(Repeat.WEEKLY, 2, (1, 3)), "2026-12-01", ["2026-12-01", "2026-12-03", "2026-12-15"]),
        (Rhythm(Repeat.MONTHLY_WEEKDAY), "2026-12-03", ["2026-12-03", "2027-01-07", "2027-02-04"]),
        (Rhythm(Repeat.MONTHLY_WEEKDAY), "2026-12-31", ["2026-12-31", "2027-01-28", "2027-02-25"]),
        (Rhythm(Repeat.MONTHLY_WEEKDAY, 1, (1,), (2, 4)), "2026-12-08", ["2026-12-08", "2026-12-22", "2027-01-12"]),
        (Rhythm(Repeat.MONTHLY_WEEKDAY, 3, (4,), (-1,)), "2026-12-25", ["2026-12-25", "2027-03-26", "2027-06-25"]),
        (Rhythm(Repeat.MONTHLY_DATE), "2026-12-31", ["2026-12-31", "2027-01-31", "2027-03-31"]),
        (Rhythm(Repeat.YEARLY), "2028-02-29", ["2028-02-29", "2032-02-29", "2036-02-29"]),
    ],
)
def test_it_recurs_as_people_say_it(rhythm: Rhythm, first: str, expected: list[str]) -> None:
    start = date.fromisoformat(first)
    series = weekly(start=f"{first}T23:00", end=f"{start + timedelta(days=1)}T01:00", rule=rule_of(rhythm, start))
    found = list(times(series, start, date(2040, 1, 1)))[:3]
    assert [time.start for time in found] == [f"{day}T23:00" for day in expected]
    assert all(moment(time.end) - moment(time.start) == timedelta(hours=2) for time in found)


rhythms = st.builds(
    Rhythm,
    st.sampled_from([one for one in Repeat if one is not Repeat.NEVER]),
    st.integers(1, 99),
    st.lists(st.integers(0, 6), unique=True).map(lambda days: tuple(sorted(days))),
    st.lists(st.sampled_from(WEEKS), unique=True).map(lambda weeks: tuple(sorted(weeks, key=WEEKS.index))),
)


@given(rhythms, st.dates(date(2026, 1, 1), date(2035, 12, 31)), st.integers(0, 2000), st.booleans())
def test_a_rule_is_read_as_it_was_made_and_ends_as_it_says(rhythm: Rhythm, day: date, most: int, counted: bool) -> None:
    first = first_from(rhythm, day)
    weeks, months = day + timedelta(weeks=rhythm.interval), day + timedelta(days=32 * rhythm.interval + 31)
    assert day <= first <= (weeks if rhythm.repeat is Repeat.WEEKLY else months)
    until = first + timedelta(days=most)
    rhythm = replace(rhythm, count=most % 999 + 1) if counted else replace(rhythm, until=until)
    rule, start = rule_of(rhythm, first), datetime.combine(first, time(18))
    assert read_rule(rule, start) == rhythm.of(first)
    assert rule_of(read_rule(rule, start), first) == rule
    found = [moment(one.start).date() for one in times(weekly(start=f"{first}T18:00", rule=rule), first, until)]
    assert found[0] == first
    assert found == sorted(set(found))
    assert found[-1] <= until
    assert len(found) <= (rhythm.count or len(found))


@pytest.mark.parametrize(
    ("rule", "day", "first"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-12-01", "2026-12-01"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-12-03", "2026-12-15"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "2026-12-03", "2026-12-05"),
        ("FREQ=MONTHLY;INTERVAL=3;BYDAY=1TU", "2026-12-03", "2027-03-02"),
    ],
)
def test_the_weeks_and_months_of_a_rhythm_are_those_of_its_first_day(rule: str, day: str, first: str) -> None:
    """As each calendar reads the rule: a rhythm of each second week keeps its weeks when its weekday changes."""
    begins = datetime.fromisoformat(f"{day}T18:00")
    assert first_from(read_rule(rule, begins), begins.date()) == date.fromisoformat(first)


def test_an_event_says_who_would_have_been_let_in_then_lets_them_in(place: Place) -> None:
    place.journal.tap_in(
        place.now - 5 * DAY + HOUR, "brigitte", Reason.OUTSIDE_HOURS, granted=False
    )  # Thursday 19 November, 20:12
    place.tell()
    client = place.staff()
    status, text = press(place, "/events", client, **FEAST)
    assert status == 200
    assert "1 aurait été admis" in text
    assert "Brigitte O. (jeu. 19 nov., 20 h 12)" in text
    assert events(place) == []
    status, text = press(place, "/events", client, **FEAST, sure="1")
    assert (status, "Événement ajouté. 0 porte sur" in text, "jeu. 3 déc., 19 h – 22 h" in text) == (303, True, True)
    [made] = events(place)
    assert (made.start, made.end, made.audience) == ("2026-12-03T19:00", "2026-12-03T22:00", "members")


def test_an_event_is_moved_past_midnight_and_cancelled(place: Place) -> None:
    client = place.staff()
    press(place, "/events", client, **FEAST, sure="1")
    path = f"/events/{events(place)[0].id}"
    was = shown(client, path)
    moved = FEAST | {"date": "4/12/2026", "hours": "21h-1h", "free": "1", "access_points": "front"}
    _, text = press(place, path, client, was=was, **moved)
    assert "jeu. 3 déc., 19 h – 22 h, pour les membres → Repas, ven. 4 déc., 21 h – 1 h" in text
    assert press(place, path, client, was=was, sure="1", **moved)[0] == 303
    [now] = events(place)
    assert (now.start, now.end, now.free, now.access_points) == (
        "2026-12-04T21:00",
        "2026-12-05T01:00",
        True,
        ("front",),
    )
    status, text = press(place, path, client, was=was, sure="1", **FEAST)
    assert (status, "quelqu’un a changé cela entre-temps" in text) == (409, True)
    assert events(place) == [now]
    status, text = press(place, path, client, was=shown(client, path), end="1", sure="1")
    assert (status, "Événement annulé." in text, events(place)) == (303, True, [])
    status, text = press(place, path, client, was=was, end="1", sure="1")
    assert (status, "quelqu’un a changé cela entre-temps" in text) == (409, True)
    assert client.get(path).status_code == 404


def test_of_a_series_one_time_is_cancelled_one_moved_and_the_rest_changed(place: Place) -> None:
    client = place.staff()
    assert press(place, "/events", client, **FEAST, repeat="weekly", sure="1")[0] == 303
    made = events(place)
    assert [event.start for event in made[:2]] == ["2026-12-03T19:00", "2026-12-10T19:00"]
    assert 50 < len(made) < 55
    paths = [f"/events/{event.id}" for event in made[:2]]
    assert press(place, paths[0], client, was=shown(client, paths[0]), end="1", sure="1")[0] == 303
    moved = FEAST | {"date": "11/12/2026"}
    assert press(place, paths[1], client, was=shown(client, paths[1]), sure="1", **moved)[0] == 303
    path = f"/event-series/{the_series(place).id}"
    was = shown(client, path)
    later = FEAST | {"hours": "20h-23h", "repeat": "weekly", "until": "31/12/2026"}
    status, text = press(place, path, client, was=was, **later)
    assert (status, "chaque jeudi, jusqu’au jeu. 31 déc." in text) == (200, True)
    assert press(place, path, client, was=was, sure="1", **later)[0] == 303
    assert sorted(event.start for event in events(place)) == [
        "2026-12-11T19:00",
        "2026-12-17T20:00",
        "2026-12-24T20:00",
        "2026-12-31T20:00",
    ]
    assert press(place, path, client, was=was, sure="1", **later)[0] == 409, "it is another by now"
    status, text = press(place, path, client, was=shown(client, path), end="1", sure="1")
    assert (status, "Cette série est finie" in text, events(place)) == (303, True, [])
    assert the_series(place).ended is not None
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.noun == "event_series").order_by(AuditRow.id)).all()  # type: ignore[arg-type]
    assert [row.did for row in rows] == ["added", "changed", "ended"]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("RRULE:FREQ=WEEKLY;BYDAY=TH,TU", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("freq=weekly; wkst=su; byday=th", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;UNTIL=20261231T180000Z", "FREQ=WEEKLY;UNTIL=20261231T235959"),
        ("FREQ=WEEKLY;UNTIL=20261231T175959Z", "FREQ=WEEKLY;UNTIL=20261230T235959"),
        ("FREQ=WEEKLY;UNTIL=20261231T190000", "FREQ=WEEKLY;UNTIL=20261231T235959"),
        ("FREQ=MONTHLY;BYDAY=+1TH,3TH", "FREQ=MONTHLY;BYDAY=1TH,3TH"),
        ("FREQ=MONTHLY;BYMONTHDAY=3;COUNT=4", "FREQ=MONTHLY;COUNT=4"),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=3", "FREQ=YEARLY"),
    ],
)
@pytest.mark.sqlite
def test_a_rule_of_another_calendar_is_kept_in_our_words(place: Place, rule: str, kept: str) -> None:
    assert press(place, "/events", place.staff(), **FEAST, rule=rule, sure="1")[0] == 303
    assert (the_series(place).rule, events(place)[0].start) == (kept, "2026-12-03T19:00")


@pytest.mark.sqlite
def test_several_weekdays_so_many_times_and_the_next_dates_are_said_before_it_is_kept(place: Place) -> None:
    client = place.staff()
    several = {"csrf_token": place.form_token(client, "/events"), "was": "", "repeat": "weekly", "weekdays": ["1", "4"]}
    asked = FEAST | several | {"interval": "2", "times": "9"}
    text = plain(client.post("/events", data=asked).text).replace("\N{NO-BREAK SPACE}", " ")
    assert "toutes les 2 semaines, mardi et vendredi, 9 fois, ven. 4 déc., 19 h – 22 h" in text, "no Thursday: the next"
    assert (
        "Prochaines fois : ven. 4 déc., mar. 15 déc., ven. 18 déc., mar. 29 déc., ven. 1er janv. 2027, "
        "mar. 12 janv. 2027, ven. 15 janv. 2027, mar. 26 janv. 2027, et 1 autre d’ici un an"
    ) in text
    assert client.post("/events", data=asked | {"sure": "1"}).status_code == 303
    assert the_series(place).rule == "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;COUNT=9"
    assert len(events(place)) == 9
    html = client.get(f"/event-series/{the_series(place).id}").text
    assert html.count(" checked> mardi") == html.count(" checked> vendredi") == 1
    assert " checked> jeudi" not in html
    page = plain(html).replace("\N{NO-BREAK SPACE}", " ")
    assert "Prochaines fois ven. 4 déc., 19 h – 22 h" in " ".join(page.split())


@pytest.mark.sqlite
def test_of_a_series_its_next_time_stands_in_the_list_and_the_others_are_folded(place: Place) -> None:
    client = place.staff()
    press(place, "/events", client, **FEAST, repeat="weekly", interval="1", sure="1")
    press(place, "/events", client, **FEAST | {"title": "Vide-grenier", "date": "12/12/2026"}, sure="1")
    html = client.get("/events").text
    shown, _, folded = html.partition("Les fois suivantes des séries…")
    assert re.findall(r'<a href="/events/[^"]+"><b>([^<]+)</b>', shown) == [FEAST["title"], "Vide-grenier"]
    assert folded.partition("</details>")[0].count(f"<b>{FEAST['title']}</b>") == 20


@pytest.mark.sqlite
def test_the_second_and_the_last_tuesday_of_the_month_are_said_in_both_languages(place: Place) -> None:
    client = place.staff()
    several = {"csrf_token": place.form_token(client, "/events"), "was": "", "repeat": "monthly_weekday"}
    data = FEAST | several | {"weekdays": ["1"], "weeks": ["2", "-1"], "sure": "1"}
    assert client.post("/events", data=data).status_code == 303
    assert the_series(place).rule == "FREQ=MONTHLY;BYDAY=2TU,-1TU"
    assert "le deuxième mardi et le dernier mardi du mois" in place.page("/events", client)
    assert "the second Tuesday and the last Tuesday of the month" in place.page("/events?lang=en", client)


def test_what_recurs_has_a_year_ahead_every_day_and_what_was_cancelled_stays_so(place: Place) -> None:
    client = place.staff()
    press(place, "/events", client, **FEAST, repeat="weekly", sure="1")
    first = f"/events/{events(place)[0].id}"
    press(place, first, client, was=shown(client, first), end="1", sure="1")
    count = len(events(place))
    for days, more in ((0, 0), (7, 1), (7, 0), (30, 3)):
        with place.database.transaction() as session:
            assert make_more_times(session, DECIDED, TODAY + timedelta(days=days)) == more
    place.publish()
    assert len(events(place)) == count + 4
    assert max(event.start for event in events(place)) <= f"{TODAY + timedelta(days=30) + AHEAD}T99"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"title": " "}, "Écrivez un titre"),
        ({"title": "a" * 10_000}, "Écrivez un titre"),
        ({"date": "3/11/2026"}, "Il n’est pas passé"),
        ({"date": "demain"}, "Il n’est pas passé"),
        ({"date": "0001-01-01"}, "Il n’est pas passé"),
        ({"hours": "19h"}, "Écrivez une heure de début"),
        ({"hours": "9h-12h, 14h-18h"}, "Écrivez une heure de début"),
        ({"audience": "chats"}, "Choisissez pour qui"),
        ({"access_points": "cave"}, "Cette porte n’existe plus"),
        ({"repeat": "FREQ=SECONDLY"}, "Choisissez dans la liste"),
        ({"repeat": "weekly", "until": "1/12/2026"}, "pas avant le premier"),
        ({"repeat": "weekly", "date": "3/12/2028"}, "une série commence d’ici un an"),
        ({"repeat": "weekly", "until": "x"}, "pas avant le premier"),
        ({"repeat": "weekly", "access_points": "cave"}, "Cette porte n’existe plus"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_made(
    place: Place, data: dict[str, str], said: str
) -> None:
    before = place.publisher.current.bundle.events
    for sure in ({}, {"sure": "1"}):
        status, text = press(place, "/events", place.staff(), **FEAST | data | sure)
        assert (status, said in text) == (400, True)
    assert place.publisher.current.bundle.events == before
    with place.database.reading() as session:
        assert session.exec(select(EventSeries)).all() == []


@pytest.mark.sqlite
def test_a_rhythm_that_cannot_be_kept_is_refused_by_its_part_and_what_to_write(place: Place) -> None:
    client = place.staff()
    token = place.form_token(client, "/events")
    for data, said in UNKEPT:
        answer = client.post("/events", data={"csrf_token": token, "was": "", "sure": "1"} | FEAST | data)
        text = plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")
        assert (answer.status_code, said in text) == (400, True), data
    assert events(place) == []


def test_the_page_of_what_is_not_there_and_what_the_form_forged(place: Place) -> None:
    client = place.staff()
    assert client.get("/events/none").status_code == 404
    assert client.get("/event-series/none").status_code == 404
    press(place, "/events", client, **FEAST, sure="1")
    [made] = events(place)
    other = json.dumps({"id": "other", "title": "x", "start": made.start, "end": made.end, "audience": "members"})
    assert press(place, f"/events/{made.id}", client, was=other, sure="1", **FEAST)[0] == 409
    assert press(place, f"/events/{made.id}", client, was="", end="1", sure="1")[0] == 409
    press(place, "/events", client, **FEAST | {"title": "Atelier"}, repeat="weekly", sure="1")
    path = f"/event-series/{the_series(place).id}"
    forged = json.loads(shown(client, path)) | {"rule": "FREQ=SECONDLY"}
    assert press(place, path, client, was=json.dumps(forged), repeat="weekly", **FEAST)[0] == 409
    assert events(place) == [made]


def test_the_running_server_makes_the_times_of_each_day(office: Office) -> None:
    series = weekly(start="2026-11-24T18:00", end="2026-11-24T22:00")
    with office.database.transaction() as session:
        assert save_series(session, DECIDED, None, series, TODAY) == Done()
        count = len(held(session, "events"))
    for days, more in ((1, 0), (8, 1), (8, 1), (15, 2)):
        office.now = SEVEN + days * DAY
        office.exchange.tick()
        with office.database.reading() as session:
            assert len(held(session, "events")) == count + more
